"""Waits to be killed."""

import time


def test_before():
    pass


def test_killed():
    time.sleep(600)
