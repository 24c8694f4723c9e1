*** Settings ***
Documentation       Waits to be killed.
Library             ../libraries/Shop.py


*** Test Cases ***
Before
    Add To Cart    tea

Killed
    Pay Slowly    600
