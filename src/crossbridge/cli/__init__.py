"""The `crossbridge` command: one module per command group. Data goes to stdout, talk to stderr.

Exit codes: 0 fine, 1 a gate or check failed, 2 wrong use, 3 the database cannot be reached.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from io import TextIOWrapper

import typer

from crossbridge._version import __version__
from crossbridge.errors import CrossbridgeError

# Each module has `register(app)`, which adds its commands; the order is that of `--help`.
COMMAND_MODULES = (
    "init",
    "server",
    "database",
    "ingest",
    "reading",
    "comparing",
    "tracing",
    "verify",
    "doctor",
    "grafana",
    "demo",
)

app = typer.Typer(
    name="crossbridge",
    help="Where the time in your tests goes, which are flaky, what got slower.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: paragraphs are wrapped, \b keeps examples as they are, errors are one line
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"crossbridge {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    pass


def main() -> None:
    """Run the command line; errors meant for people are one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that lacks a character gets an escape, not a crash
            stream.reconfigure(errors="backslashreplace")
    for name in COMMAND_MODULES:
        importlib.import_module(f"crossbridge.cli.{name}").register(app)
    try:
        try:
            app()
        finally:
            print(end="", flush=True)  # what is written last may be what finds the disk full
    except (CrossbridgeError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        raise SystemExit(_tell(error)) from None


def _tell(error: CrossbridgeError | OSError) -> int:
    """Say in one line what happened, and return the exit code."""
    if isinstance(error, CrossbridgeError):
        print(f"crossbridge: {error}", file=sys.stderr)
        return error.exit_code
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left of the output would fail again at the exit
    if error.errno != errno.EPIPE:  # a reader that has seen enough is no news
        gone = "cannot find the working folder" if error.errno == errno.ENOENT else "cannot write the output"
        what = f"cannot use {error.filename}" if error.filename else gone
        print(f"crossbridge: {what}: {error.strerror or error}.", file=sys.stderr)
    return 1
