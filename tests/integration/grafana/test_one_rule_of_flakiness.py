"""The command, the dashboard and the alert find the same evidence, also where runs began at the same moment."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise
from uuid import UUID

import pytest

from crossbridge.analysis.flaky import flaky_tests
from crossbridge.analysis.scope import Scope
from crossbridge.grafana import alerts
from support.alerting import firing

(NEW_FLAKY,) = (
    rule for rule in alerts.rule_group("crossbridge")["rules"] if rule["title"] == "New flaky test"
)
OUTCOMES = ("failed", "error", "failed passed", "failed failed")


@pytest.fixture(params=range(3))
def runs(request, history):
    """Runs of the last 20 hours, several of each moment, at desks and elsewhere: how each test ended in each."""
    rng = random.Random(request.param)
    made = []
    for _ in range(40):
        run = {
            "hours_ago": rng.choice([2, 3, 5, 8, 13, 20]),
            "commit": rng.choice(["aaaa", "bbbb", "cccc", None]),
            "environment": rng.choice(["ci", "local"]),
            "ci_provider": rng.choice(["github", None, None, None]),
            "run_id": str(UUID(int=rng.getrandbits(128), version=4)),
        }
        ended = {
            f"t{n}": (rng.choice(OUTCOMES) if rng.random() < n / 20 else "passed").split()
            for n in rng.sample(range(10), 7)
        }
        history.run(
            *((test, *(f"{one}:{rng.randrange(1, 90_000)}" for one in ended[test])) for test in ended), **run
        )
        made.append((run, ended))
    return made


def evidence_of(test, runs):
    """In how many runs it was saved by a retry, and which commits it left both ways."""
    mine = sorted(
        ((run, ended[test]) for run, ended in runs if test in ended),
        key=lambda one: (-one[0]["hours_ago"], UUID(one[0]["run_id"]).int),
    )
    codes = defaultdict(list)
    for run, statuses in mine:
        desk = run["environment"] == "local" and run["ci_provider"] is None
        codes[run["commit"], run["environment"]].append((desk, statuses[-1] == "passed"))
    both_ways = []
    for (commit, environment), ends in codes.items():
        edits_left = 1
        for number, (before, after) in enumerate(pairwise(ends), 2):
            if commit is None or before[1] == after[1]:
                continue
            if edits_left and any(desk for desk, _ in ends[:number]):
                edits_left = 0
                continue
            edits_left = 0
            both_ways.append((commit, environment))
    return sum(statuses == ["failed", "passed"] for _, statuses in mine), len(both_ways), set(both_ways)


def test_the_command_the_dashboard_and_the_alert_agree(history, runs):
    told = {test: evidence_of(test, runs) for test in {test for _, ended in runs for test in ended}}
    flaky = {test: told[test] for test in told if told[test][0] or told[test][1]}
    assert 5 < len(flaky) < len(told)

    command = flaky_tests(history.connection, Scope(history.ago(hours=23), None, None, None, 100))
    panel = history.connection.execute(
        "SELECT test_id, retried, same_commit FROM crossbridge.panel_flaky("
        "crossbridge.panel_scope(%s, %s, NULL, NULL, NULL, NULL, NULL))",
        [history.ago(hours=23), history.now],
    ).fetchall()

    assert {test.test_id: (test.retried_runs, test.commits) for test in command} == {
        test: (retried, len({commit for commit, _ in codes})) for test, (retried, _, codes) in flaky.items()
    }
    assert {test: (retried, changes) for test, retried, changes in panel} == {
        test: (retried, changes) for test, (retried, changes, _) in flaky.items()
    }
    assert firing(history.connection, NEW_FLAKY) == {
        ("pytest", test): retried + len(codes) for test, (retried, _, codes) in flaky.items()
    }
