"""Calls of the shop's API."""

import pytest
import requests
from shop_api import serving


@pytest.fixture(scope="module")
def api():
    with serving() as url:
        yield url


def test_http_calls(api):
    assert requests.get(f"{api}/users/42?token=s3cret", timeout=10).status_code == 200
    assert requests.post(f"{api}/orders", json={"item": "tea"}, timeout=10).status_code == 201
    assert requests.get(f"{api}/orders/ORD-1001", timeout=10).status_code == 404
