"""Names as people write them."""

import pytest
from shop import Cart


@pytest.mark.parametrize(
    "item", ["tea", "größe 🎉", "1/2 l", "'single' \"double\"", "a::b[0]", r"back\slash"]
)
def test_parametrised(item):
    cart = Cart()
    cart.add(item)
    assert cart.count() == 1
