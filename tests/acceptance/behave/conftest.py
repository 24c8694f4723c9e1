from __future__ import annotations

import pytest

from support.framework_runs import Suite

pytest.importorskip("behave")


@pytest.fixture
def example(tmp_path):
    """A copy of examples/behave."""
    return Suite(tmp_path / "shop", example="behave")


@pytest.fixture
def suite(tmp_path):
    """A project with steps that pass, fail and raise."""
    suite = Suite(tmp_path / "project")
    suite.write(
        "features/steps/steps.py",
        """
        import time
        from behave import step

        @step("it passes")
        def passes(context):
            pass

        @step("it fails")
        def fails(context):
            assert False, "no"

        @step("it raises")
        def raises(context):
            raise ValueError("bad")

        @step("it waits")
        def waits(context):
            time.sleep(30)
        """,
    )
    return suite
