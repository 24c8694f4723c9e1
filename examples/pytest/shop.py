"""What is tested here."""

from __future__ import annotations

import time


class Cart:
    def __init__(self) -> None:
        self.items: dict[str, int] = {}

    def add(self, item: str, number: int = 1) -> None:
        self.items[item] = self.items.get(item, 0) + number

    def count(self) -> int:
        return sum(self.items.values())


def connect(name: str) -> None:
    raise ConnectionError(f"{name} does not answer")


def pay_slowly(cart: Cart) -> str:
    time.sleep(1.1)
    return f"paid for {cart.count()}"
