"""The shop under test, and the keywords that use it."""

from __future__ import annotations

import time


class Shop:
    ROBOT_LIBRARY_SCOPE = "SUITE"

    def __init__(self) -> None:
        self.user: str | None = None
        self.cart: list[str] = []
        self.visits = 0

    def log_in(self, user: str, password: str) -> None:
        """Take a user in; the password is never recorded."""
        if not password:
            raise ValueError("a password is needed")
        self.user = user

    def add_to_cart(self, item: str) -> None:
        time.sleep(0.001)
        self.cart.append(item)

    def empty_cart(self) -> None:
        self.cart.clear()

    def cart_should_hold(self, count: int) -> None:
        if len(self.cart) != count:
            raise AssertionError(f"the cart holds {len(self.cart)} items, not {count}")

    def connect(self, server: str) -> None:
        raise ConnectionError(f"{server} does not answer")

    def recommendations_should_load(self) -> None:
        """Fail at the first visit only."""
        self.visits += 1
        if self.visits == 1:
            raise AssertionError("the recommendations came too late")

    def pay_slowly(self, seconds: float = 1.2) -> None:
        time.sleep(seconds)
