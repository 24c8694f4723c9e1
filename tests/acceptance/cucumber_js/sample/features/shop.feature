Feature: Outcomes

  Background:
    Given an open shop

  Scenario: Passes
    When I add "s3cret"
    Then the cart holds 1 item(s)

  Scenario: Fails
    When I add "apple"
    Then the cart holds 2 item(s)

  @broken
  Scenario: Errors In Setup
    When I add "apple"

  @skipped
  Scenario: Skipped
    When I add "apple"

  Scenario: Undefined
    When nobody knows "what"

  @flaky
  Scenario: Flaky
    When it works the second time

  Scenario Outline: Parametrised
    When I add "<item>"
    Then the cart holds <n> item(s)

    Examples:
      | item | n |
      | a/b  | 1 |
      | ü☂   | 1 |
    Examples: more
      | item | n |
      | x    | 3 |

  Rule: Twice
    Scenario: Passes
      When I add "a"
    Scenario: Passes
      When I add "a"
