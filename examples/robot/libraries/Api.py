"""Keywords that call the shop's API."""

from __future__ import annotations

from contextlib import ExitStack

import requests
from shop_api import serving


class Api:
    ROBOT_LIBRARY_SCOPE = "SUITE"

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.url = ""

    def open_the_api(self) -> None:
        self.url = self.stack.enter_context(serving())

    def close_the_api(self) -> None:
        self.stack.close()

    def get_should_answer(self, path: str, status: int) -> None:
        assert requests.get(f"{self.url}{path}", timeout=10).status_code == status

    def post_should_answer(self, path: str, status: int) -> None:
        assert requests.post(f"{self.url}{path}", json={"item": "tea"}, timeout=10).status_code == status
