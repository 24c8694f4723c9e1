"""Steps of the shop."""

import time

from behave import given, step, then, when


@given('a cart with "{item}"')
@when('I add "{item}"')
def add(context, item):
    context.cart.append(item)


@given("an open shop")
def open_shop(context):
    context.user = None


@when('I log in as "{user}" with "{password}"')
def log_in(context, user, password):
    context.user = user


@when("I add all of these")
def add_all(context):
    for row in context.table:
        context.execute_steps(f'When I add "{row["item"]}"')


@then("the cart holds {count:d} item(s)")
def cart_holds(context, count):
    assert len(context.cart) == count, f"the cart holds {len(context.cart)} items, not {count}"


@then("the warehouse answers")
def warehouse_answers(context):
    raise ConnectionError("warehouse does not answer")


@then("the recommendations load")
def recommendations(context):
    context.config.userdata["visits"] = visits = int(context.config.userdata.get("visits", 0)) + 1
    assert visits > 1, "the recommendations came too late"


@step("I pay slowly")
def pay(context):
    time.sleep(1.2)
