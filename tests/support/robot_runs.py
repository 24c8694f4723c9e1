"""The command lines of Robot Framework's tests, and what examples/robot gives."""

LISTENER = "crossbridge.integrations.robot"
QUIET = ("--log", "NONE", "--report", "NONE", "--outputdir", "results")
ROBOT = ("robot", "--listener", LISTENER, *QUIET)

# Every test of the example, with its status when nothing is retried.
EXAMPLE = {
    "Tests.Checkout.Pays.Passes": "passed",
    "Tests.Checkout.Pays.Fails": "failed",
    "Tests.Http.Http Calls": "passed",
    "Tests.Outcomes.Passes": "passed",
    "Tests.Outcomes.Fails": "failed",
    "Tests.Outcomes.Errors In Setup": "error",
    "Tests.Outcomes.Errors In Teardown": "error",
    "Tests.Outcomes.Skipped": "skipped",
    "Tests.Outcomes.Skipped By Tag": "skipped",
    "Tests.Outcomes.Flaky": "failed",
    "Tests.Outcomes.Parametrised \"größe\" 1/2 'ünï'": "passed",
    "Tests.Steps.Nested Steps": "passed",
    "Tests.Steps.Slow": "passed",
}
