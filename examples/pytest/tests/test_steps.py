"""Where the time inside a test goes; the one thing here that is there for CrossBridge, and does nothing without it."""

from shop import Cart

import crossbridge


@crossbridge.step("fill the cart")
def fill(cart):
    for item in ("tea", "coffee"):
        with crossbridge.step(f"add {item}"):
            cart.add(item)


def test_nested_steps():
    cart = Cart()
    fill(cart)
    with crossbridge.step("check"):
        assert cart.count() == 2


def test_subtests(subtests):
    for number in (1, 2):
        with subtests.test("add", number=number):
            cart = Cart()
            cart.add("tea", number)
            assert cart.count() == number
