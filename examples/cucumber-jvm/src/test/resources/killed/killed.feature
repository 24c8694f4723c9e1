Feature: Killed
  Waits to be killed.

  Scenario: Before
    Given an open shop

  Scenario: Killed
    When I wait to be killed
