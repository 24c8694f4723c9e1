"""Steps that call the shop's API."""

import requests
from behave import then, when


@when('I get "{path}"')
def get(context, path):
    context.answer = requests.get(context.api + path, timeout=10)


@when('I post to "{path}"')
def post(context, path):
    context.answer = requests.post(context.api + path, json={"item": "tea"}, timeout=10)


@then("the API answers {status:d}")
def answers(context, status):
    assert context.answer.status_code == status, context.answer.status_code
