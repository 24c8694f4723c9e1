*** Settings ***
Documentation       A second suite, for a second worker.
Library             ../../libraries/Shop.py


*** Test Cases ***
Passes
    Add To Cart    tea
    Pay Slowly    0.05

Fails
    Cart Should Hold    ${5}
