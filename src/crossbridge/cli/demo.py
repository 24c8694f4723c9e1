"""`demo`: three made-up tests, profiled for real."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from crossbridge.cli._common import prepare_target, say
from crossbridge.errors import CrossbridgeError, DatabaseError

if TYPE_CHECKING:
    from crossbridge.database.target import Target
    from crossbridge.profiling.collector import MetricsCollector
    from crossbridge.profiling.models import ProfileConfig

DELIVERY_TIMEOUT_S = 10.0  # a shipper may have a backlog of other runs to deliver first


class DemoTest(NamedTuple):
    """A test of the demonstration; steps take so many milliseconds."""

    test_id: str
    framework: str
    steps: dict[str, int]


TESTS = (
    DemoTest(
        "test_user_login_workflow",
        "pytest",
        {
            "Navigate to login page": 300,
            "Enter credentials": 200,
            "Click login button": 150,
            "Verify dashboard loaded": 850,
        },
    ),
    DemoTest(
        "test_checkout_process",
        "selenium_python",
        {
            "Add item to cart": 500,
            "Proceed to checkout": 400,
            "Fill shipping info": 800,
            "Enter payment details": 700,
            "Confirm order": 800,
        },
    ),
    DemoTest(
        "test_api_user_creation",
        "restassured",
        {"POST /api/users": 450, "Verify response 201": 200, "GET /api/users/{id}": 200},
    ),
)


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    *,
    speed: Annotated[
        float,
        typer.Option(
            min=0.1, max=1000, help="How many times faster the tests run than the 5.55 s they take."
        ),
    ] = 1.0,
) -> None:
    """
    Profile three made-up tests, for real.

    They run through the collector into the database. The tests only wait, but what is printed was measured, and
    what is stored can be read with every other command; the run's environment is "demo" unless one is set. Exit
    code 1: not everything arrived.

    \b
    Examples:
      crossbridge demo
      crossbridge demo --speed 10 && crossbridge report
    """
    from crossbridge.profiling.collector import MetricsCollector
    from crossbridge.profiling.config import load
    from crossbridge.profiling.guard import Faults

    config = load()
    config = config.replace(enabled=True, environment=config.environment or "demo")
    target = prepare_target(config)
    _show_database(target)
    collector = MetricsCollector.get_instance(config)
    if not collector.start(framework=TESTS[0].framework):
        raise CrossbridgeError(
            f"recording did not begin: {Faults.first or 'see above'}. Try 'crossbridge doctor'."
        )
    print("✅ Metrics collector started")
    print(f"✅ Run ID: {collector.run_id}")
    print("✅ Storage backend: PostgreSQL")
    print("✅ Mode: Non-blocking, async")
    for test in TESTS:
        _execute(collector, test, speed)
    _finish(collector, config, target)


def _show_database(target: Target) -> None:
    from crossbridge.database.connection import connect, translated
    from crossbridge.database.migrate import migrate
    from crossbridge.database.queries import query

    with connect(target) as connection, translated(target):
        migrate(connection)
        row = connection.execute(query("guide_tables")).fetchone()
        print(f"✅ Connected to PostgreSQL: {connection.info.host}:{connection.info.port}")
        print(f"✅ Database: {connection.info.dbname}")
        print(f"✅ Schema: crossbridge ({row[0] if row else 0} tables)\n")


def _execute(collector: MetricsCollector, test: DemoTest, speed: float) -> None:
    """Run one test; each step waits for its moment, so that delays do not add up."""
    print(f"\nExecuting: {test.test_id} [{test.framework}]")
    collector.record_test_start(test.test_id, test.framework)
    began = before = time.perf_counter_ns()
    due = 0.0
    for name, nominal_ms in test.steps.items():
        due += nominal_ms * 1e6 / speed
        collector.record_step_start(test.test_id, name)
        time.sleep(max(0.0, began + due - time.perf_counter_ns()) / 1e9)
        now = time.perf_counter_ns()
        collector.record_step_end(test.test_id, name, duration_us=(now - before) // 1000)
        print(f"  - {name}: {_ms(now - before)}", flush=True)
        before = now
    collector.record_test_end(test.test_id, duration_us=(before - began) // 1000, status="passed")
    print(f"  ✅ Completed in {_ms(before - began)} - passed")


def _ms(ns: int) -> str:
    return f"{round(ns / 1e6)}ms"


def _finish(collector: MetricsCollector, config: ProfileConfig, target: Target) -> None:
    reason = _deliver(collector, config, target)
    stats = collector.get_stats()
    complete = stats["written"] == stats["collected"]
    print(f"\n{'✅' if complete else '❌'} Profiling Statistics:")
    for name in ("collected", "written", "dropped"):
        print(f"     Events {name}: {stats[name]}")
    if not complete:
        say(
            f"crossbridge: {stats['spooled']} of {stats['collected']} events are not delivered:"
            f" {(reason or 'the database did not confirm them').rstrip('.')}."
            f" They stay in {config.spool_dir}; deliver them with 'crossbridge ingest'."
        )
        raise typer.Exit(1)
    _confirm_rows(collector.run_id, target)
    say("\nThe run is in the database. Look at it with: crossbridge report")


def _deliver(collector: MetricsCollector, config: ProfileConfig, target: Target) -> str | None:
    """End the run and see its events delivered: by the shipper, or else from here. Return why that failed."""
    from crossbridge.profiling.spool import deliver_spool

    if collector.shutdown(status="passed") or (
        collector.shipper.error is None and collector.flush(timeout_s=DELIVERY_TIMEOUT_S)
    ):
        return None
    try:
        deliver_spool(config, target)
    except CrossbridgeError as error:
        return str(error)
    return None


def _confirm_rows(run_id: str, target: Target) -> None:
    """Look whether the rows are there, whatever the statistics say."""
    from crossbridge.database.connection import connect, translated
    from crossbridge.database.queries import query

    wanted = (len(TESTS), sum(len(test.steps) for test in TESTS))
    with connect(target) as connection, translated(target):
        stored = connection.execute(query("run_rows"), {"run_id": run_id}).fetchone()
    if stored != wanted:
        raise DatabaseError(
            f"run {run_id} should have left {wanted} rows of tests and steps in {target}, got {stored}."
        )
