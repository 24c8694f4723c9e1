Feature: Rules
  A rule has names of its own.

  Scenario: Slow
    When I pay slowly

  Rule: The same names mean other scenarios here

    Scenario: Slow
      When I add "tea"
