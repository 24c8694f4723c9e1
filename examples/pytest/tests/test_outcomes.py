"""Every way a test can end."""

import pytest
from shop import Cart, connect


@pytest.fixture
def warehouse():
    connect("warehouse")


@pytest.fixture
def leaves_a_mess():
    yield
    connect("warehouse")


def test_passes():
    cart = Cart()
    cart.add("tea")
    assert cart.count() == 1


def test_fails():
    cart = Cart()
    cart.add("tea")
    assert cart.count() == 2


def test_errors_in_setup(warehouse):
    pass


def test_errors_in_teardown(leaves_a_mess):
    pass


@pytest.mark.skip(reason="the till is closed on Sundays")
def test_skipped():
    pass


@pytest.mark.xfail(strict=False, reason="known")
def test_fails_as_expected():
    assert Cart().count() == 1


@pytest.mark.xfail(strict=False, reason="mended, but nobody has noticed")
def test_passes_unexpectedly():
    assert Cart().count() == 0
