"""The names of the behave integration that need no run."""

from __future__ import annotations

import pytest

pytest.importorskip("behave")

from behave.parser import parse_feature

from crossbridge.integrations._behave_names import Names, without_quoted

FEATURE = """
Feature: A
  Scenario: One
    Given x
  Scenario Outline: Two <a>
    Given <a>
    Examples:
      | a |
      | 1 |
  Rule: R
    Scenario: One
      Given x
"""


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('I type "s3cret" twice', 'I type "…" twice'),
        ("I type 's3cret'", 'I type "…"'),
        ('"a" and "b"', '"…" and "…"'),
        ("nothing is quoted", "nothing is quoted"),
        ('an open " quote', 'an open " quote'),
    ],
)
def test_text_of_an_undefined_step_loses_its_values(text, kept):
    assert without_quoted(text) == kept


@pytest.mark.parametrize(
    ("filename", "file"),
    [
        ("features/a.feature", "features/a.feature"),
        ("/home/ann/shop/features/a.feature", "features/a.feature"),
        ("./features/../features/a.feature", "features/a.feature"),
    ],
)
def test_scenario_is_named_by_file_rule_title_and_row(monkeypatch, filename, file):
    monkeypatch.setattr("os.getcwd", lambda: "/home/ann/shop")
    names = Names("/home/ann/shop")
    feature = parse_feature(FEATURE.strip(), filename=filename)
    names.read(feature)
    one, two = feature.scenarios
    (rule,) = feature.rules
    found = {names.of(part).test_id for part in (feature, one, two.scenarios[0], rule, rule.scenarios[0])}
    assert found == {
        file,
        f"{file}::One",
        f"{file}::Two <a> [1]",
        f"{file}::R",
        f"{file}::R::One",
    }
    assert {names.of(part).suite for part in (one, rule)} == {"A"}
