"""Runs that look like a real suite's: workers, steps, HTTP calls, browser commands, failures with stack traces."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from support.feed import Segment

if TYPE_CHECKING:
    import psycopg

AREAS = (
    "orders",
    "payments",
    "login",
    "search",
    "basket",
    "invoices",
    "profile",
    "admin",
    "reports",
    "webhooks",
)
VERBS = (
    "creates",
    "updates",
    "refuses",
    "lists",
    "deletes",
    "exports",
    "retries",
    "validates",
    "locks",
    "restores",
)
THINGS = (
    "an order",
    "two orders",
    "an empty basket",
    "a refund",
    "a stale session",
    "a foreign currency",
    "a large file",
)
STEPS = ("open the page", "log in", "fill in the form", "submit", "check the result")
ENDPOINTS = (
    ("POST", "shop.example/api/sessions"),
    ("GET", "shop.example/api/orders/{id}"),
    ("POST", "shop.example/api/orders"),
    ("GET", "shop.example/api/search"),
    ("DELETE", "shop.example/api/baskets/{id}"),
)
COMMANDS = ("findElement", "click", "sendKeys", "get", "getElementText", "executeScript")
ERRORS = (
    (
        "AssertionError",
        "AssertionError: expected status 201, got 503\nassert 503 == 201\n  +  where 503 = Response.status",
    ),
    ("TimeoutException", "Message: element css=#pay was not clickable after {n} s\nScreenshot: none"),
    (
        "ConnectionError",
        "HTTPConnectionPool(host='shop.example', port=8443): Max retries exceeded ({n} tries)",
    ),
)


@dataclass(frozen=True)
class Shape:
    """How a made-up run looks. Shares are probabilities per test; `mean_ms` is the mean duration of a test."""

    tests: int = 200
    workers: int = 4
    mean_ms: float = 400
    failing: float = 0.02
    skipped: float = 0.03
    flaky: float = 0.01
    parts: bool = True
    slow: frozenset[int] = frozenset()  # tests that take 1.6 times as long


def make_run(
    connection: psycopg.Connection[Any],
    shape: Shape,
    *,
    at_us: int,
    seed: int = 1,
    **header: Any,
) -> str:
    """Deliver a run that began at `at_us`, a segment for each worker, and return its id."""
    rng = random.Random(seed)
    run_id = str(UUID(int=rng.getrandbits(128), version=4))
    header = {
        "environment": "ci",
        "git_branch": "main",
        "git_commit": f"{rng.getrandbits(80):020x}",
        **header,
    }
    main = Segment(run_id, at_us=at_us, **header)
    workers = [
        Segment(
            run_id,
            at_us=at_us + rng.randrange(200_000, 900_000),
            worker=f"gw{n}",
            parent=main.writer,
            **header,
        )
        for n in range(shape.workers)
    ]
    alone = shape.workers <= 1
    for number in range(shape.tests):
        segment = main if alone else min(workers, key=lambda each: each.now_us)
        # What a test is depends on its number alone: the same from run to run, but for luck and noise.
        _test(segment, number, random.Random(number), rng, shape)
    for segment in [] if alone else workers:
        segment.close("passed", collected=len(segment.lines) - 1)
        segment.deliver(connection)
    main.now_us = max(main.now_us, *(segment.now_us for segment in [main, *workers])) + 300_000
    failed = any(
        line.get("status") in ("failed", "error") for each in [main, *workers] for line in each.lines
    )
    main.close("failed" if failed else "passed", collected=len(main.lines) - 1)
    main.deliver(connection)
    return run_id


def name_of(number: int) -> str:
    own = random.Random(number)
    area = own.choice(AREAS)
    words = f"{own.choice(VERBS)}_{own.choice(THINGS).replace(' ', '_')}"
    return f"tests/{area}/test_{area}_{number % 7}.py::Test{area.capitalize()}::test_{words}[{number}]"


def _test(segment: Segment, number: int, own: random.Random, luck: random.Random, shape: Shape) -> None:
    test_id = name_of(number)
    base_us = own.lognormvariate(0, 1.1) * shape.mean_ms * 550 * (1.6 if number in shape.slow else 1.0)
    if luck.random() < shape.skipped:
        segment.start(test_id)
        segment.end(test_id, "skipped", 400, at_us=segment.now_us + 400)
        return
    outcomes = ["passed"]
    if luck.random() < shape.failing:
        outcomes = [luck.choice(["failed", "failed", "error"])]
    elif own.random() < shape.flaky and luck.random() < 0.5:
        outcomes = ["failed", "passed"]
    if luck.random() < 0.004:
        segment.now_us += luck.randrange(500_000, 4_000_000)  # a fixture of the session, belonging to no test
    for attempt, status in enumerate(outcomes, 1):
        _attempt(segment, test_id, attempt, status, base_us * luck.lognormvariate(0, 0.08), shape, luck)


def _attempt(
    segment: Segment,
    test_id: str,
    attempt: int,
    status: str,
    duration_us: float,
    shape: Shape,
    luck: random.Random,
) -> None:
    began_us = segment.now_us + 800
    duration = round(duration_us) + 2000
    setup, teardown = round(duration * luck.uniform(0.03, 0.25)), round(duration * luck.uniform(0.01, 0.06))
    segment.start(test_id, attempt=attempt, at_us=began_us)
    if shape.parts:
        _parts(segment, test_id, attempt, began_us + setup, duration - setup - teardown, luck)
    kind, message = luck.choice(ERRORS)
    error = (
        {"error_type": kind, "error_message": message.format(n=luck.randint(2, 40))}
        if status != "passed"
        else {}
    )
    segment.end(
        test_id, status, duration, attempt=attempt, at_us=began_us + duration, setup_us=setup, teardown_us=teardown,
        suite=test_id.split("::")[1], file=test_id.partition("::")[0], **error,
    )  # fmt: skip


def _parts(
    segment: Segment, test_id: str, attempt: int, at_us: int, room_us: int, luck: random.Random
) -> None:
    """Fill the call with steps; in each some HTTP calls or browser commands, one after the other."""
    names = luck.sample(STEPS, luck.randint(0, 3))
    for index, name in enumerate(names):
        step_us = room_us // (len(names) + 1)
        call_us = step_us // 4
        for number in range(luck.randint(0, 2)):
            end_us = at_us + call_us * (number + 1)
            common = {"test_id": test_id, "attempt": attempt, "duration_us": call_us - 50, "at_us": end_us}
            if luck.random() < 0.5:
                method, endpoint = luck.choice(ENDPOINTS)
                code = luck.choices([200, 201, 404, 503], [80, 15, 3, 2])[0]
                segment.add("http_call", endpoint=endpoint, method=method, status_code=code, **common)
            else:
                segment.add("driver_command", command=luck.choice(COMMANDS), target="css=#pay", **common)
        at_us += step_us
        segment.step(test_id, name, step_us, attempt=attempt, step_index=index, at_us=at_us)
