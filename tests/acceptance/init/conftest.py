from __future__ import annotations

import os
import subprocess

import pytest

from support.cli import run_cli
from support.pytest_runs import clean_environ


@pytest.fixture
def init():
    """Run `crossbridge init FOLDER ARGS` as a person does, with nothing of CrossBridge in the environment."""

    def call(folder, *args):
        return run_cli("init", folder, *args, env=clean_environ())

    return call


@pytest.fixture
def git():
    def call(folder, *args):
        names = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        who = ("-c", "user.name=a", "-c", "user.email=a@example.invalid")
        subprocess.run(
            ["git", *who, *args], cwd=folder, env=clean_environ(**names), check=True, capture_output=True
        )

    return call
