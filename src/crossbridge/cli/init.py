"""`init`: write what a project needs to be recorded, and take it out again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossbridge.cli._common import Json, print_json, say
from crossbridge.cli._text import safe
from crossbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from crossbridge.orchestration.files import Change
    from crossbridge.orchestration.plan import Plan

Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="The project's folder.", show_default="the working folder")
]
Frameworks = Annotated[
    list[str] | None,
    typer.Option("--framework", metavar="F", help="Only this framework; may be given several times."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the changes as a diff; write nothing.")]
Remove = Annotated[bool, typer.Option("--remove", help="Take out all that init has written.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="Write to files with uncommitted changes; take out lines that were edited."),
]
WithPostgres = Annotated[
    bool,
    typer.Option("--with-postgres", help="JVM: add PostgreSQL's JDBC driver to the tests' class path."),
]


def register(app: typer.Typer) -> None:
    app.command()(init)


def init(
    directory: Directory = Path(),
    *,
    framework: Frameworks = None,
    dry_run: DryRun = False,
    remove: Remove = False,
    force: Force = False,
    with_postgres: WithPostgres = False,
    as_json: Json = False,
) -> None:
    """
    Write the hooks that have a project's tests recorded.

    Finds the test frameworks by their files and writes a fixture into conftest.py, a listener for Robot Framework, a
    call into behave's environment.py; copies its sources into the tests of Maven's and Gradle's modules and beside
    the configuration of Playwright and Cypress; .env switches profiling on. A second call finds nothing to do.
    Exit code 1: it refuses, and nothing is changed.

    \b
    Examples:
      crossbridge init --dry-run
      crossbridge init ~/shop --framework pytest --framework robot
      crossbridge init --with-postgres
      crossbridge init --remove
    """
    from crossbridge.orchestration.config_generator import plan_init, plan_remove
    from crossbridge.orchestration.files import NotWritten, apply

    _check(directory, framework or [], remove=remove, with_postgres=with_postgres)
    if remove:
        plan = plan_remove(directory, force=force)
    else:
        plan = plan_init(directory, framework or [], force=force, with_postgres=with_postgres)
    written = not (dry_run or plan.refusals)
    if not as_json:
        _show(plan, dry_run=dry_run, remove=remove)
    if written:
        try:
            apply(plan.changes)
        except NotWritten as error:
            error.args = (safe(str(error)),)
            raise
    if as_json:
        print_json(_document(plan, written=written, dry_run=dry_run))
    for refusal in plan.refusals:
        say(f"crossbridge: {safe(refusal)}")
    if plan.refusals:
        say("crossbridge: nothing was changed.")
        raise typer.Exit(1)
    if written and not as_json:
        _show_end(plan, remove=remove)


def _check(directory: Path, frameworks: list[str], *, remove: bool, with_postgres: bool) -> None:
    from crossbridge.orchestration.detection import FRAMEWORKS

    if not directory.is_dir():
        raise UsageError(f"{safe(str(directory))} is no folder. Name the project's.")
    if remove and (frameworks or with_postgres):
        option = "--framework" if frameworks else "--with-postgres"
        raise UsageError(f"--remove takes out all that init has written: leave {option} away.")
    for name in frameworks:
        if name not in FRAMEWORKS:
            raise UsageError(f"--framework must be one of {', '.join(FRAMEWORKS)}, got '{safe(name)}'.")


def _document(plan: Plan, *, written: bool, dry_run: bool) -> dict[str, object]:
    from crossbridge.orchestration.files import diff

    changes = []
    for change in plan.changes:
        name = plan.name(change.path)
        entry: dict[str, object] = {
            "path": _storable(name),
            "action": change.action,
            "purpose": change.purpose,
        }
        if dry_run:
            entry["diff"] = [_storable(line) for line in diff(change, name)]
        changes.append(entry)
    return {
        "directory": _storable(str(plan.root)),
        "frameworks": [
            {
                "framework": one.framework,
                "evidence": _storable(one.evidence.as_posix()),
                "supported": one.supported,
            }
            for one in plan.found
        ],
        "changes": changes,
        "written": written,
        "notes": [_storable(note) for note in plan.notes],
        "refusals": [_storable(refusal) for refusal in plan.refusals],
    }


def _storable(text: str) -> str:
    """Escape what JSON cannot carry: the bytes of a file's name that are no text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _show(plan: Plan, *, dry_run: bool, remove: bool) -> None:
    from crossbridge.cli._screen import stdout

    console = stdout()
    for line in (*_page(plan, remove=remove), *(_diffs(plan) if dry_run and not plan.refusals else ())):
        console.print(line, soft_wrap=True)  # what is copied from a diff has no line ends but its own


def _page(plan: Plan, *, remove: bool) -> Iterator[Text]:
    from rich.text import Text

    if plan.found:
        yield Text(f"Found in {safe(str(plan.root))}")
        for found in plan.found:
            line = Text(f"  {found.name:<18} {safe(found.evidence.as_posix())}")
            if not found.supported:
                line.append(f"  {found.instead}", "yellow")
            yield line
        yield Text()
    if plan.refusals:
        return
    if not plan.changes:
        nothing = "Nothing to take out." if remove else "Nothing to do."
        yield Text(nothing)
        return
    shown = _grouped(plan)
    width = max(len(name) for name, _ in shown)
    styles = {"create": "green", "edit": "cyan", "delete": "red"}
    for name, changes in shown:
        line = Text(f"  {changes[0].action:<8}", styles[changes[0].action])
        line.append(f"{safe(name):<{width}}  ", "default")
        files = f", {len(changes)} files" if len(changes) > 1 else ""
        line.append(f"{changes[0].purpose}{files}", "dim")
        yield line


def _grouped(plan: Plan) -> list[tuple[str, list[Change]]]:
    """Return what a line stands for: a file, or all files of a folder that the same becomes of."""
    found: dict[tuple[str, str], list[Change]] = {}
    for change in plan.changes:
        name = f"{plan.name(change.shown_as)}/" if change.shown_as else plan.name(change.path)
        found.setdefault((name, change.action), []).append(change)
    return [(name, changes) for (name, _), changes in found.items()]


def _diffs(plan: Plan) -> Iterator[Text]:
    from rich.text import Text

    from crossbridge.orchestration.files import diff

    styles = {"+": "green", "-": "red", "@": "cyan"}
    for change in plan.changes:
        if change.shown_as:
            continue  # a copy of ours, of hundreds of lines
        yield Text()
        for line in diff(change, plan.name(change.path)):
            yield Text(safe(line), styles.get(line[:1], ""))


def _show_end(plan: Plan, *, remove: bool) -> None:
    for note in plan.notes:
        say(safe(note))
    if remove or not plan.changes:
        return
    commands = dict.fromkeys(one.command for one in plan.found if one.is_written)
    say(f"Run your tests as ever ({', '.join(commands)}), then: crossbridge report")
