Feature: Outcomes
  Every way a scenario can end.

  Background:
    Given an open shop

  Scenario: Passes
    When I add "tea"
    Then the cart holds 1 item

  Scenario: Fails
    When I add "tea"
    Then the cart holds 2 items
    And the cart holds 3 items

  @warehouse
  Scenario: Errors In Setup
    When I add "tea"

  @sweep
  Scenario: Errors In Teardown
    When I add "tea"

  @closed_on_sundays
  Scenario: Skipped
    When I add "tea"

  Scenario: Undefined
    When I whisper "s3cret"

  Scenario: Pending
    When I wait for the spring sale

  Scenario: Flaky
    Then the recommendations load

  Scenario Outline: Parametrised "größe" 1/2 'ünï' <item>
    When I add "<item>"
    Then the cart holds <count> items

    Examples:
      | item   | count |
      | tea    | 1     |
      | coffee | 2     |

    Examples: more
      | item  | count |
      | cocoa | 1     |
