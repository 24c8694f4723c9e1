from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as ec
from selenium.webdriver.support.wait import WebDriverWait


def test_browser_commands(shop):
    shop.find_element(By.ID, "user").send_keys("pat")
    shop.find_element(By.ID, "password").send_keys("s3cret")
    shop.find_element(By.CSS_SELECTOR, "#sign-in").click()
    assert shop.find_element(By.ID, "greeting").text == "Hello pat"


def test_waits(shop):
    shop.find_element(By.ID, "add").click()
    item = WebDriverWait(shop, 5, poll_frequency=0.1).until(
        ec.visibility_of_element_located((By.CLASS_NAME, "item"))
    )
    assert item.text == "Pen"


def test_actions(shop):
    button = shop.find_element(By.ID, "sign-in")
    ActionChains(shop).move_to_element(button).click().perform()
    assert shop.execute_script("return document.title + arguments[0]", "s3cret") == "Shops3cret"


def test_fails(shop):
    shop.find_element(By.ID, "checkout")
