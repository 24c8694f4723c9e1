"""Hooks of the shop's own."""

from behave import fixture, use_fixture
from behave.contrib.scenario_autoretry import patch_scenario_with_autoretry
from shop_api import serving


@fixture
def api(context):
    with serving() as context.api:
        yield


def before_all(context):
    context.visits = 0


def before_feature(context, feature):
    for scenario in feature.walk_scenarios():
        if "autoretry" in scenario.effective_tags:
            patch_scenario_with_autoretry(scenario, max_attempts=2)


def before_scenario(context, scenario):
    context.cart = []
    if "api" in scenario.tags:
        use_fixture(api, context)
    if "closed_on_sundays" in scenario.tags:
        scenario.skip("the till is closed on Sundays")
    if "warehouse" in scenario.tags:
        raise ConnectionError("warehouse does not answer")


def after_scenario(context, scenario):
    context.cart.clear()
    if "sweep" in scenario.tags:
        raise ConnectionError("the broom does not answer")
