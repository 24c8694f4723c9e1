"""What holds for every registered command."""

from __future__ import annotations

import importlib
import re

import pytest
import typer

from crossbridge.cli import COMMAND_MODULES


def registered():
    app = typer.Typer()
    app.callback()(lambda: None)  # with a callback typer keeps a group, however few commands there are
    for name in COMMAND_MODULES:
        importlib.import_module(f"crossbridge.cli.{name}").register(app)
    return dict(leaves("crossbridge", typer.main.get_command(app)))


def leaves(path, command):
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from leaves(f"{path} {name}", inner)


COMMANDS = registered()
SILENT = {"crossbridge demo"}  # prints what the guide shows, for people only


def test_the_commands_of_the_design_are_there():
    wanted = {
        "init",
        "up",
        "down",
        "status",
        "db init",
        "db migrate",
        "db roles",
        "db prune",
        "ingest",
        "demo",
        "verify",
        "report",
        "runs",
        "slowest",
        "flaky",
        "regressions",
        "compare",
        "grafana build",
        "grafana provision",
        "grafana push",
        "doctor",
    }
    assert {f"crossbridge {name}" for name in wanted} <= COMMANDS.keys()


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_says_what_it_does_and_gives_an_example_of_itself(path):
    text = COMMANDS[path].help or ""
    assert re.fullmatch(r"[A-Z][^\n]{10,60}\.", text.split("\n\n")[0].replace("\n", " "))
    _, keep_lines, examples = text.partition("\b\nExamples:\n")
    assert keep_lines
    assert f"\n  {path}" in f"\n{examples}"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_has_help(path):
    options = [parameter for parameter in COMMANDS[path].params if parameter.param_type_name == "option"]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("path", sorted(COMMANDS.keys() - SILENT))
def test_every_command_can_answer_a_program(path):
    options = [name for parameter in COMMANDS[path].params for name in parameter.opts]
    assert "--json" in options
