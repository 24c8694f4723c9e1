"""The command lines of Robot Framework's tests."""

LISTENER = "crossbridge.integrations.robot"
QUIET = ("--log", "NONE", "--report", "NONE", "--outputdir", "results")
ROBOT = ("robot", "--listener", LISTENER, *QUIET)
