*** Settings ***
Documentation       Keywords within keywords, control structures, and text that nobody else should read.
Library             ../libraries/Shop.py
Test Setup          Empty Cart


*** Test Cases ***
Nested Steps
    Log In As alice With s3cret
    FOR    ${item}    IN    tea    coffee
        Add To Cart    ${item}
    END
    IF    $item == 's3cret'
        Fail    never
    ELSE
        Cart Should Hold    ${2}
    END
    TRY
        Connect    s3cret
    EXCEPT    *    type=GLOB
        Log    no matter
    END
    [Teardown]    Empty Cart

Slow
    Pay Slowly


*** Keywords ***
Log In As ${user} With ${password}
    Log In    ${user}    ${password}
