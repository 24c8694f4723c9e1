"""Every outcome pytest knows, each beside what `--junitxml` says of the same run."""

from __future__ import annotations

import pytest

from support.junit import outcomes, outcomes_of
from support.pytest_runs import Project

FILES = {
    "tests/test_outcomes.py": """
        import pytest

        @pytest.fixture
        def broken():
            raise ValueError("no bread")

        @pytest.fixture
        def breaks_afterwards():
            yield
            raise OSError("no butter")

        @pytest.fixture
        def skips():
            pytest.skip("not today")

        @pytest.fixture
        def xfails():
            pytest.xfail("not yet")

        @pytest.fixture
        def skips_afterwards():
            yield
            pytest.skip("afterwards")

        @pytest.fixture
        def xfails_afterwards():
            yield
            pytest.xfail("afterwards")

        def test_passes(): pass
        def test_fails(): assert 1 == 2
        def test_raises(): raise KeyError("x")
        def test_fails_without_traceback(): pytest.fail("plain", pytrace=False)
        def test_system_exit(): raise SystemExit(3)
        def test_errors_in_setup(broken): pass
        def test_errors_in_teardown(breaks_afterwards): pass
        def test_fails_and_errors_in_teardown(breaks_afterwards): assert False, "first"
        def test_skip_and_error_in_teardown(breaks_afterwards): pytest.skip("x")
        def test_unknown_fixture(no_such_fixture): pass
        @pytest.mark.skip(reason="never")
        def test_skip_mark(): pass
        @pytest.mark.skipif(True, reason="here")
        def test_skipif(): pass
        def test_skips_in_body(): pytest.skip("half-way")
        def test_skips_in_setup(skips): pass
        def test_skips_in_teardown(skips_afterwards): pass
        @pytest.mark.xfail(strict=False)
        def test_xfail(): assert False
        @pytest.mark.xfail(strict=False)
        def test_xpass(): pass
        @pytest.mark.xfail(strict=True, reason="is broken")
        def test_xpass_strict(): pass
        @pytest.mark.xfail(run=False)
        def test_xfail_not_run(): raise AssertionError
        @pytest.mark.xfail(raises=KeyError)
        def test_xfail_other_error(): raise ValueError("other")
        @pytest.mark.xfail(strict=False)
        def test_xfail_in_setup(broken): pass
        @pytest.mark.xfail(strict=False)
        def test_xfail_in_teardown(breaks_afterwards): pass
        def test_xfails_in_body(): pytest.xfail("known")
        def test_xfails_in_fixture(xfails): pass
        def test_xfails_in_teardown(xfails_afterwards): pass
    """,
    "tests/test_parameters.py": r"""
        import pytest

        VALUES = ["a/b", "x::y", "a[0]", "'single'", '"double"', "a b", "", "\n", "\x00", "日本", "é", "🎉", "@gw0", 1.5, None, object()]

        @pytest.mark.parametrize("value", VALUES)
        def test_value(value): pass

        class TestOuter:
            class TestInner:
                @pytest.mark.parametrize("one", [1, 2])
                @pytest.mark.parametrize("two", ["x", "y"])
                def test_product(self, one, two): assert one == 1
    """,
    "tests/test_address.py": """
        import pytest

        @pytest.mark.parametrize("value", [object()], ids=repr)
        def test_address(value): pass
    """,
    "tests/test_unittest.py": """
        import unittest

        class Plain(unittest.TestCase):
            def test_passes(self): pass
            def test_fails(self): self.assertEqual(1, 2)
            def test_errors(self): raise ValueError("x")
            def test_skips(self): self.skipTest("why")
            @unittest.skip("mark")
            def test_skip_mark(self): pass
            @unittest.expectedFailure
            def test_expected_failure(self): self.fail("as expected")
            @unittest.expectedFailure
            def test_unexpected_success(self): pass

        class BrokenSetUp(unittest.TestCase):
            def setUp(self): raise ValueError("set-up")
            def test_one(self): pass

        class BrokenTearDown(unittest.TestCase):
            def tearDown(self): raise ValueError("tear-down")
            def test_one(self): pass

        class BrokenClass(unittest.TestCase):
            @classmethod
            def setUpClass(cls): raise ValueError("class")
            def test_one(self): pass
            def test_two(self): pass

        class BrokenClassEnd(unittest.TestCase):
            @classmethod
            def tearDownClass(cls): raise ValueError("class end")
            def test_one(self): pass

        class Asynchronous(unittest.IsolatedAsyncioTestCase):
            async def test_passes(self): pass
            async def test_fails(self): self.fail("x")
    """,
    "tests/test_subtests.py": """
        import unittest

        import pytest

        def test_all_pass(subtests):
            for number in range(2):
                with subtests.test("round", number=number): pass

        def test_one_fails(subtests):
            with subtests.test("good"): pass
            with subtests.test("bad"): assert False, "sub"

        def test_one_skips(subtests):
            with subtests.test("skips"): pytest.skip("x")

        class TestUnit(unittest.TestCase):
            def test_one_fails(self):
                with self.subTest("good"): pass
                with self.subTest("bad", i=1): self.fail("sub")
                with self.subTest("also good"): pass
            def test_all_pass(self):
                with self.subTest(i=1): pass
    """,
    "tests/test_asyncio.py": """
        import asyncio

        import pytest

        @pytest.mark.asyncio
        async def test_passes(): await asyncio.sleep(0)
        @pytest.mark.asyncio
        async def test_fails(): assert False
    """,
    "tests/test_broken.py": "import no_such_module_anywhere",
    "tests/test_syntax.py": "def test(:",
    "tests/test_skipped_as_a_whole.py": """
        import pytest
        pytest.skip("all of it", allow_module_level=True)
        def test_one(): pass
    """,
    "tests/test_importorskip.py": """
        import pytest
        pytest.importorskip("no_such_module_anywhere")
        def test_one(): pass
    """,
    "tests/test_empty_parameters.py": """
        import pytest
        @pytest.mark.parametrize("value", [])
        def test_none(value): pass
    """,
    "documented.py": """
        def good():
            '''
            >>> good()
            1
            '''
            return 1

        def bad():
            '''
            >>> bad()
            1
            '''
            return 2
    """,
    "readme.txt": """
        >>> 1 + 1
        3
    """,
}  # fmt: skip

EXPECTED = {
    "test_outcomes.py::test_passes": "passed",
    "test_outcomes.py::test_fails": "failed",
    "test_outcomes.py::test_raises": "failed",
    "test_outcomes.py::test_fails_without_traceback": "failed",
    "test_outcomes.py::test_system_exit": "failed",
    "test_outcomes.py::test_errors_in_setup": "error",
    "test_outcomes.py::test_errors_in_teardown": "error",
    "test_outcomes.py::test_fails_and_errors_in_teardown": "failed",
    "test_outcomes.py::test_skip_and_error_in_teardown": "error",
    "test_outcomes.py::test_unknown_fixture": "error",
    "test_outcomes.py::test_skip_mark": "skipped",
    "test_outcomes.py::test_skipif": "skipped",
    "test_outcomes.py::test_skips_in_body": "skipped",
    "test_outcomes.py::test_skips_in_setup": "skipped",
    "test_outcomes.py::test_skips_in_teardown": "skipped",
    "test_outcomes.py::test_xfail": "xfailed",
    "test_outcomes.py::test_xpass": "xpassed",
    "test_outcomes.py::test_xpass_strict": "failed",
    "test_outcomes.py::test_xfail_not_run": "xfailed",
    "test_outcomes.py::test_xfail_other_error": "failed",
    "test_outcomes.py::test_xfail_in_setup": "xfailed",
    "test_outcomes.py::test_xfail_in_teardown": "xfailed",
    "test_outcomes.py::test_xfails_in_body": "xfailed",
    "test_outcomes.py::test_xfails_in_fixture": "xfailed",
    "test_outcomes.py::test_xfails_in_teardown": "xfailed",
    "test_parameters.py::test_value[a/b]": "passed",
    "test_parameters.py::test_value[x::y]": "passed",
    "test_parameters.py::test_value[a[0]]": "passed",
    "test_parameters.py::test_value['single']": "passed",
    'test_parameters.py::test_value["double"]': "passed",
    "test_parameters.py::test_value[\\u65e5\\u672c]": "passed",
    "test_parameters.py::test_value[\\U0001f389]": "passed",
    "test_parameters.py::TestOuter::TestInner::test_product[x-1]": "passed",
    "test_parameters.py::TestOuter::TestInner::test_product[y-2]": "failed",
    "test_unittest.py::Plain::test_errors": "failed",
    "test_unittest.py::Plain::test_expected_failure": "xfailed",
    "test_unittest.py::Plain::test_unexpected_success": "failed",
    "test_unittest.py::BrokenSetUp::test_one": "failed",
    "test_unittest.py::BrokenClass::test_two": "error",
    "test_unittest.py::BrokenClassEnd::test_one": "error",
    "test_unittest.py::Asynchronous::test_fails": "failed",
    "test_subtests.py::test_all_pass": "passed",
    "test_subtests.py::test_one_fails": "failed",
    "test_subtests.py::test_one_skips": "passed",
    "test_subtests.py::TestUnit::test_one_fails": "failed",
    "test_subtests.py::TestUnit::test_all_pass": "passed",
    "test_asyncio.py::test_passes": "passed",
    "test_asyncio.py::test_fails": "failed",
    "test_broken.py": "error",
    "test_syntax.py": "error",
    "test_skipped_as_a_whole.py": "skipped",
    "test_importorskip.py": "skipped",
    "test_empty_parameters.py::test_none[NOTSET]": "skipped",
}
ELSEWHERE = {
    "documented.py::documented.good": "passed",
    "documented.py::documented.bad": "failed",
    "readme.txt::readme.txt": "failed",
}
ADDRESS = "tests/test_address.py::test_address[<object object at 0x>]"
DOCTESTS = ("--doctest-modules", "--doctest-glob=*.txt")
WAYS = {
    "alone": (),
    # Workers that collect different addresses are refused by pytest-xdist.
    "two workers": ("-n", "2", "--ignore=tests/test_address.py"),
    "no workers": ("-n", "0"),
    "without a terminal": ("-p", "no:terminal"),
    "importlib": ("--import-mode=importlib",),
    "native tracebacks": ("--tb=native", "-vv", "-rA"),
    "no tracebacks": ("--tb=no",),
}


@pytest.fixture(scope="module", params=WAYS.items(), ids=lambda way: way[0])
def run(request, tmp_path_factory):
    """A run of all of it, in each of several ways."""
    project = Project(tmp_path_factory.mktemp("outcomes"))
    for name, text in FILES.items():
        project.write(name, text)
    return project.pytest(
        "--continue-on-collection-errors", "--junitxml=report.xml", *DOCTESTS, *request.param[1]
    )


def test_every_outcome_has_its_status(run):
    expected = {f"tests/{name}": status for name, status in EXPECTED.items()} | ELSEWHERE
    assert {name: run.statuses.get(name) for name in expected} == expected


def test_tests_and_statuses_are_those_of_junitxml(run):
    reported = outcomes(run.project / "report.xml")
    (address,) = [name for name in reported if name[1].startswith("test_address")] or [None]
    if address:  # pytest writes it out, we do not
        reported["tests.test_address", ADDRESS.partition("::")[2]] = reported.pop(address)
    # A subtest that skips stands in the report as if its test had.
    assert reported.pop(("tests.test_subtests", "test_one_skips")) == "skipped"
    rows = {name: status for name, status in run.statuses.items() if not name.endswith("::test_one_skips")}
    assert outcomes_of(rows.items()) == reported


def test_the_run_failed_and_nothing_was_dropped(run):
    assert run.returncode == 1
    assert run.status == "failed"
    assert {segment[-1]["dropped"] for segment in run.segments} == {0}
    assert sum(segment[-1]["collected"] for segment in run.segments) == len(run.events) - len(run.segments)


def test_each_test_that_ended_had_begun(run):
    started = {event["test_id"] for event in run.of_type("test_start")}
    not_collected = {name for name in run.statuses if "::" not in name}
    assert started == set(run.statuses) - not_collected


def test_phases_are_parts_of_the_whole(run):
    for end in run.ends:
        assert 0 <= end.get("setup_us", 0) + end.get("teardown_us", 0) <= end["duration_us"]
        assert ("setup_us" in end) == ("teardown_us" in end) == ("::" in end["test_id"])


def test_suite_is_file_and_classes(run):
    end = run.end_of("::test_product[x-1]")
    assert (end["file"], end["suite"]) == (
        "tests/test_parameters.py",
        "tests/test_parameters.py::TestOuter::TestInner",
    )
    assert run.end_of("[x::y]")["suite"] == "tests/test_parameters.py"


@pytest.mark.parametrize(
    ("name", "error_type", "message"),
    [
        ("test_outcomes.py::test_fails", "AssertionError", "assert 1 == 2"),
        ("test_outcomes.py::test_raises", "KeyError", "KeyError: 'x'"),
        ("test_outcomes.py::test_fails_without_traceback", "Failed", "Failed: plain"),
        ("test_outcomes.py::test_errors_in_setup", "ValueError", "ValueError: no bread"),
        ("test_outcomes.py::test_errors_in_teardown", "OSError", "OSError: no butter"),
        ("test_outcomes.py::test_fails_and_errors_in_teardown", "AssertionError", "AssertionError: first\nassert False\n\nin tear-down: OSError: no butter"),
        ("test_outcomes.py::test_xpass_strict", None, "[XPASS(strict)] is broken"),
        ("test_unittest.py::BrokenClass::test_one", "ValueError", "ValueError: class"),
        ("test_unittest.py::Plain::test_fails", "AssertionError", "AssertionError: 1 != 2"),
        ("test_subtests.py::TestUnit::test_one_fails", "AssertionError", "AssertionError: sub"),
        ("test_outcomes.py::test_xfail", None, None),
        ("test_outcomes.py::test_skip_mark", None, None),
        ("test_outcomes.py::test_passes", None, None),
    ],
)  # fmt: skip
def test_the_first_error_is_kept(run, name, error_type, message):
    end = run.end_of(f"tests/{name}")
    assert (end.get("error_type"), end.get("error_message")) == (error_type, message)


def test_what_has_no_crash_place_still_says_what_happened(run):
    assert "no_such_fixture" in run.end_of("::test_unknown_fixture")["error_message"]
    assert "Expected:" in run.end_of("documented.bad")["error_message"]
    assert "no_such_module_anywhere" in run.end_of("tests/test_broken.py")["error_message"]
    assert "SyntaxError" in run.end_of("test_syntax.py")["error_message"]


def test_subtests_are_steps(run):
    steps = [
        (event["step_name"], event["status"], event["step_index"])
        for event in run.of_type("step_end")
        if event["test_id"] == "tests/test_subtests.py::TestUnit::test_one_fails"
    ]
    assert steps == [("good", "passed", 0), ("bad (i=1)", "failed", 1), ("also good", "passed", 2)]
    assert {event["event_type"] for event in run.of_type("step_end")} == {"subtest"}


def test_a_subtest_lasts_from_the_one_before_it_to_its_end(project):
    project.write(
        "test_a.py",
        """
        import time, unittest

        def test_fixture(subtests):
            with subtests.test("slow"): time.sleep(0.2)
            with subtests.test("fast"): pass

        class TestUnit(unittest.TestCase):
            def test_unit(self):
                with self.subTest("slow"): time.sleep(0.2)
                with self.subTest("fast"): pass
        """,
    )
    steps = project.pytest().of_type("step_end")
    assert [step["step_name"] for step in steps] == ["slow", "fast"] * 2
    assert [step["duration_us"] >= 200_000 for step in steps] == [True, False] * 2


def test_phases_are_measured_where_they_happen(project):
    project.write(
        "test_a.py",
        """
        import time, pytest

        @pytest.fixture
        def slow():
            time.sleep(0.2)
            yield
            time.sleep(0.4)

        def test_a(slow): time.sleep(0.1)
        """,
    )
    (end,) = project.pytest().ends
    assert 200_000 <= end["setup_us"] < 390_000
    assert 400_000 <= end["teardown_us"] < 690_000
    assert end["duration_us"] >= 700_000


def test_long_messages_are_cut(project):
    project.write("test_long.py", "def test_long(): assert False, 'é' * 100_000")
    message = project.pytest().end_of("::test_long")["error_message"]
    assert len(message.encode()) <= 8000
    assert message.endswith("…")


def test_unspeakable_names_and_messages_are_kept(project):
    project.write(
        "test_text.py",
        r"""
        import pytest

        @pytest.mark.parametrize("value", [1], ids=["a\udc80b"])
        def test_surrogate(value): raise ValueError("lone \udc80 and \0")
        """,
    )
    run = project.pytest("-o", "disable_test_id_escaping_and_forfeit_all_rights_to_community_support=True")
    assert "�" in run.ends[0]["error_message"]
