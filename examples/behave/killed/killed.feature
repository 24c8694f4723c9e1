Feature: Killed
  Waits to be killed.

  Scenario: Before
    Given an open shop

  Scenario: Killed
    Given an open shop
    When I wait to be killed
