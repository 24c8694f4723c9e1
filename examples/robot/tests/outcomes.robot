*** Settings ***
Documentation       Every way a test can end.
Library             ../libraries/Shop.py
Test Teardown       Empty Cart


*** Test Cases ***
Passes
    Add To Cart    tea
    Cart Should Hold    ${1}

Fails
    Add To Cart    tea
    Cart Should Hold    ${2}

Errors In Setup
    [Setup]    Connect    warehouse
    Add To Cart    tea

Errors In Teardown
    Add To Cart    tea
    [Teardown]    Connect    warehouse

Skipped
    Skip    the till is closed on Sundays

Skipped By Tag
    [Tags]    robot:skip
    Add To Cart    tea

Flaky
    [Tags]    test:retry(1)
    Recommendations Should Load

Parametrised "größe" 1/2 'ünï'
    [Template]    Cart Holds What Is Put In
    tea
    coffee


*** Keywords ***
Cart Holds What Is Put In
    [Arguments]    ${item}
    Add To Cart    ${item}
    Cart Should Hold    ${1}
    [Teardown]    Empty Cart
