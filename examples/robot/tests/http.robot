*** Settings ***
Documentation       Calls of the shop's API.
Library             ../libraries/Api.py
Suite Setup         Open The Api
Suite Teardown      Close The Api


*** Test Cases ***
Http Calls
    Get Should Answer    /users/42?token=s3cret    ${200}
    Post Should Answer    /orders    ${201}
    Get Should Answer    /orders/ORD-1001    ${404}
