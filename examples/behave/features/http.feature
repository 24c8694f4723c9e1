Feature: Http
  Calls of the shop's API.

  @api
  Scenario: Http Calls
    When I get "/users/42?token=s3cret"
    Then the API answers 200
    When I post to "/orders"
    Then the API answers 201
    When I get "/orders/ORD-1001"
    Then the API answers 404
