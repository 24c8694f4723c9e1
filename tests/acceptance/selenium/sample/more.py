"""More of what tests do with a driver; copied beside the tests of examples/selenium."""

import inspect
import threading
import traceback
import unittest

import pytest
import requests
from selenium import webdriver
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support import expected_conditions as ec
from selenium.webdriver.support.event_firing_webdriver import EventFiringWebDriver
from selenium.webdriver.support.events import AbstractEventListener
from selenium.webdriver.support.wait import WebDriverWait

from crossbridge.integrations.selenium import profile_webdriver


def show(*facts):
    print("SEEN", *facts)


def test_profile_webdriver(shop):
    assert profile_webdriver(shop) is shop
    assert profile_webdriver(profile_webdriver(shop)) is shop
    assert isinstance(shop, webdriver.Chrome)
    assert shop.find_element(By.ID, "user").parent is shop
    show(sorted(vars(shop)))


def test_secrets(shop):
    shop.add_cookie({"name": "sid", "value": "s3cret"})
    assert shop.get_cookie("sid")["value"] == "s3cret"
    assert shop.execute_script("return 's3cret' + arguments[0]", "s3cret") == "s3crets3cret"
    shop.get("data:text/html,s3cret")


def test_elements(shop):
    inputs = shop.find_elements(By.TAG_NAME, "input")
    assert [element.get_attribute("id") for element in inputs] == ["user", "password"]
    form = shop.find_element(By.ID, "login")
    assert form.find_element(By.TAG_NAME, "button").is_displayed()
    ActionChains(shop).click(inputs[0]).send_keys("s3cret").perform()


def test_errors(shop):
    with pytest.raises(NoSuchElementException) as missing:
        shop.find_element(By.ID, "missing")
    show([frame.name for frame in traceback.extract_tb(missing.value.__traceback__)])
    button = shop.find_element(By.ID, "add")
    shop.refresh()
    with pytest.raises(StaleElementReferenceException):
        button.click()


def test_wait_that_gives_up(shop):
    with pytest.raises(TimeoutException) as given_up:
        WebDriverWait(shop, 0.3, 0.05).until(ec.presence_of_element_located((By.ID, "missing")))
    show([frame.name for frame in traceback.extract_tb(given_up.value.__traceback__)])


def test_waits_in_a_wait(shop):
    def adds_a_pen(driver):
        driver.find_element(By.ID, "add").click()
        return WebDriverWait(driver, 5, 0.05).until(ec.presence_of_element_located((By.CLASS_NAME, "item")))

    WebDriverWait(shop, 5, 0.05).until(adds_a_pen)
    WebDriverWait(shop, 5, 0.05).until_not(ec.title_is("Other"))


def test_events(shop):
    heard = []

    class Listener(AbstractEventListener):
        def before_find(self, by, value, driver):
            heard.append((by, value))

        def on_exception(self, exception, driver):
            heard.append(type(exception))

    firing = EventFiringWebDriver(shop, Listener())
    assert profile_webdriver(firing) is firing
    firing.find_element(By.ID, "user").send_keys("s3cret")
    with pytest.raises(NoSuchElementException):
        firing.find_element(By.ID, "missing")
    assert heard == [(By.ID, "user"), (By.ID, "missing"), NoSuchElementException]


def test_thread(shop):
    thread = threading.Thread(target=lambda: shop.find_element(By.ID, "user"))
    thread.start()
    thread.join()


def test_http_beside_the_browser(shop, shop_url):
    assert requests.get(shop_url).status_code == 200
    assert shop._get_cdp_details()  # Selenium's own HTTP, for its connection of BiDi
    shop.find_element(By.ID, "user")


@pytest.mark.usefixtures("for_unittest")
class TestOfUnittest(unittest.TestCase):
    def test_title(self):
        self.driver.find_element(By.ID, "user").send_keys("s3cret")
        assert self.driver.title == "Shop"


@pytest.fixture
def for_unittest(request, shop):
    request.cls.driver = shop


def test_what_can_be_seen():
    for owner, name in ((WebDriver, "execute"), (WebDriverWait, "until"), (WebDriverWait, "until_not")):
        method = getattr(owner, name)
        show(
            method.__module__, method.__qualname__, inspect.signature(method), len(inspect.getsource(method))
        )
    show(sorted(vars(WebDriver)), sorted(vars(WebDriverWait)))
