Feature: Steps
  Steps within steps, rules, and text that nobody else should read.

  Scenario: Nested Steps
    Given a cart with "tea"
    When I log in as "alice" with "s3cret"
    And I add all of these
      | item   |
      | coffee |
      | s3cret |
    Then the cart holds 3 item(s)

  Scenario: Slow
    When I pay slowly

  Rule: The same names mean other scenarios here

    Scenario: Slow
      Given a cart with "tea"
