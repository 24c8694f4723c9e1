"""Calls of RestAssured to a real server on loopback: what is recorded, and that nothing else is different."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from support.maven import MavenSuite

SAMPLE = Path(__file__).parent / "sample"
# RestAssured 6 is for Java 17 and later.
OTHERS = {"4.5.1": (), "6.0.1": ("-Dmaven.compiler.release=17",)}

ITEM = ("GET", "/items/{id}", 200)
CALLS = {
    None: [ITEM],  # before the class's tests
    "httpCalls": [
        ("GET", "/api/users/{id}", 200),
        ("POST", "/api/orders", 201),
        ("GET", "/api/orders/ORD-{id}", 404),
    ],
    "fails": [("GET", "/api/users/{id}", 200)],
    "methods": [
        ITEM,
        ("POST", "/items/a", 200),
        ("PUT", "/items/{id}", 200),
        ("PATCH", "/status/{id}", 409),
        ("DELETE", "/status/{id}", 404),
        ("HEAD", "/status/{id}", 500),
        ("REPORT", "/items/{id}", 200),
    ],
    "secrets": [("POST", "/items/a", 200), ITEM],
    "redirects": [("GET", "/old/{id}", 200), ("GET", "/old/{id}", 302)],  # the first is followed
    "errors": [
        ("GET", "/items/{id}", "ConnectException"),
        ("GET", "/never", "SocketTimeoutException"),
        ("GET", "/status/{id}", 500),
        ("GET", "/status/{id}", 500),
    ],
    "filtersSideBySide": [ITEM],
    "filterThatThrows": [ITEM],  # of two, the one that throws afterwards
    "specifications": [ITEM, ITEM],
    "reset": [ITEM],
    "replaced": [ITEM],
    "takesItsTime": [ITEM],
    "threads": [ITEM] * 6,
    "users": [("GET", "/api/users/{id}", 200)] * 3,  # these three run at once
    "orders": [("GET", "/api/orders", 404)] * 3,
    "others": [("GET", "/api/others", 404)] * 3,
}


def project(folder: Path) -> MavenSuite:
    suite = MavenSuite(folder, example="restassured")
    for sample in SAMPLE.glob("*.java"):
        shutil.copy(sample, folder / "src" / "test" / "java" / "shop")
    suite.write(
        "src/test/resources/junit-platform.properties",
        """
        junit.jupiter.execution.parallel.enabled=true
        junit.jupiter.execution.parallel.config.strategy=fixed
        junit.jupiter.execution.parallel.config.fixed.parallelism=3
        """,
    )
    return suite


def run_maven(suite: MavenSuite, *args: str, **options):
    run = suite.run("test", *args, **options)
    assert run.returncode == 1, run.output
    assert re.search(r"Tests run: 17, Failures: 1, Errors: 0, Skipped: 0$", run.stdout, re.MULTILINE), (
        run.output
    )
    return run


def calls(run):
    """Method, path, status or error, by test, in order."""
    found = {}
    for event in sorted(run.of_type("http_call"), key=lambda event: event["at_us"]):
        test = event.get("test_id") and event["test_id"].partition("#")[2].removesuffix("()")
        path = re.sub(r"^127\.0\.0\.1:\d+", "", event["endpoint"])
        found.setdefault(test, []).append((event["method"], path, event.get("status_code") or event["error"]))
    return found


def seen(run):
    """What the tests have printed, filters, stack traces and all, and what Maven says of them."""
    lines = [line for line in run.stdout.splitlines() if re.match("SEEN|Request |.*Tests run:", line)]
    return [re.sub(r"Time elapsed: \S+|127.0.0.1:\d+", "", line) for line in lines]


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return project(tmp_path_factory.mktemp("restassured") / "shop")


@pytest.fixture(scope="module")
def recorded(suite):
    return run_maven(suite)


def test_every_call_is_a_row_of_its_test(recorded):
    assert calls(recorded) == CALLS


def test_the_server_received_what_is_recorded(suite, recorded):
    received = Counter()
    for line in (suite.folder / "received.txt").read_text().splitlines():
        method, path, status = line.split()
        received[method, re.sub(r"\d+$", "{id}", path), int(status)] += 1
    elsewhere = {"httpCalls", "fails", "users", "orders", "others"}  # on servers of their own
    rows = Counter(call for test, made in calls(recorded).items() if test not in elsewhere for call in made)
    rows -= Counter(call for call in rows if isinstance(call[2], str))  # nobody received these
    rows[ITEM] += 1  # that nobody sees: it has no filters
    rows += Counter([("GET", "/old/{id}", 302), ITEM])  # a redirect that was followed is
    rows -= Counter([("GET", "/old/{id}", 200)])  # one call
    assert received == rows


def test_a_call_takes_as_long_as_its_answer(recorded):
    (silent,) = [
        event for event in recorded.of_type("http_call") if event.get("error") == "SocketTimeoutException"
    ]
    assert silent["duration_us"] >= 190_000  # the test's time-out is 0.2 s


def test_no_secret_is_in_the_spool(suite, recorded):
    text = "".join(path.read_text() for path in suite.spool.glob("*/*.jsonl"))
    assert text.count("http_call") > 30
    assert "s3cret" not in text
    assert "token" not in text


def test_nothing_a_user_can_see_is_different(suite, recorded):
    off = run_maven(suite, on=False)
    assert len(seen(off)) == 27
    assert seen(recorded) == seen(off)


def test_fault_of_ours_changes_nothing(tmp_path, recorded):
    suite = project(tmp_path / "shop")
    suite.write(
        "src/test/java/crossbridge/profiling/Identity.java",
        """
        package crossbridge.profiling;

        /** In the place of ours, which comes later on the class path. */
        public final class Identity {
            public static String testId(String raw, String projectRoot) {
                return raw;
            }

            public static String endpoint(String address) {
                throw new IllegalStateException("injected");
            }
        }
        """,
    )
    run = run_maven(suite, strict=False)
    assert seen(run) == seen(recorded)
    assert run.of_type("http_call") == []
    assert len(run.of_type("test_end")) == 17


@pytest.mark.parametrize("version", OTHERS)
def test_other_versions(tmp_path, version):
    run = run_maven(project(tmp_path / "shop"), f"-Drestassured.version={version}", *OTHERS[version])
    assert calls(run) == CALLS


def test_calls_of_testng_belong_to_their_attempt(tmp_path):
    suite = MavenSuite(tmp_path / "shop", example="restassured")
    (suite.folder / "src/test/java/shop/ApiTest.java").unlink()
    pom = (suite.folder / "pom.xml").read_text()
    pom = pom.replace(">org.junit.jupiter<", ">org.testng<").replace(">junit-jupiter<", ">testng<")
    suite.write("pom.xml", pom.replace(">5.13.4<", ">7.10.2<"))
    suite.write(
        "src/test/java/shop/RetriedTest.java",
        """
        package shop;

        import static io.restassured.RestAssured.given;

        import org.testng.Assert;
        import org.testng.IRetryAnalyzer;
        import org.testng.ITestResult;
        import org.testng.annotations.AfterClass;
        import org.testng.annotations.BeforeClass;
        import org.testng.annotations.Test;

        public class RetriedTest {
            private static int tries;
            private Api api;

            public static class Once implements IRetryAnalyzer {
                private int times;

                @Override
                public boolean retry(ITestResult result) {
                    return times++ < 1;
                }
            }

            @BeforeClass
            public void serve() throws Exception {
                api = new Api();
            }

            @AfterClass
            public void close() {
                api.close();
            }

            @Test(retryAnalyzer = Once.class)
            public void flaky() {
                given().get(api.url() + "/users/42");
                Assert.assertEquals(tries++, 1);
            }
        }
        """,
    )
    run = suite.run("test")
    assert run.returncode == 0, run.output
    assert [header["framework"] for header in run.headers] == ["testng"]
    made = [(event["test_id"], event.get("attempt", 1)) for event in run.of_type("http_call")]
    assert made == [("shop.RetriedTest#flaky", 1), ("shop.RetriedTest#flaky", 2)]
