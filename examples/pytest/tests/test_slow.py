from shop import Cart, pay_slowly


def test_slow():
    assert pay_slowly(Cart()) == "paid for 0"
