"""What `crossbridge init` writes into a project, and what `--remove` takes out of it, as plans for `files.apply`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crossbridge.orchestration import copies, jvm, node, targets, text_hook
from crossbridge.orchestration.detection import (
    FRAMEWORKS,
    JVM,
    SUITE_FILE,
    behave_folders,
    detect,
    robot_folders,
)
from crossbridge.orchestration.git import has_uncommitted_changes
from crossbridge.orchestration.plan import Plan
from crossbridge.orchestration.python_hook import BEHAVE, COMMIT, LISTENER, PYTEST
from crossbridge.orchestration.survey import survey
from crossbridge.orchestration.templates import template
from crossbridge.switch import may_be_on

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from crossbridge.orchestration.survey import Survey

ROBOT_OPTIONS = 'ROBOT_OPTIONS="--listener crossbridge.integrations.robot"'

_SWITCH = "CROSSBRIDGE_PROFILING=true"
_IGNORED = (".env", ".crossbridge/")
_PURPOSES = {
    ".env": "switches profiling on here",
    ".env.example": "what can be set in .env",
    ".gitignore": "keeps settings and spool out of git",
    SUITE_FILE: "has Robot Framework load the listener",
}


def plan_init(
    root: Path, only: Collection[str] = (), *, force: bool = False, with_postgres: bool = False
) -> Plan:
    """
    Plan the hooks of the frameworks found below `root`, or of those in `only`; a second plan is empty.

    With `force`, files with uncommitted changes are written to. `with_postgres` adds PostgreSQL's driver where the
    hooks deliver by themselves: in the JVM.
    """
    root = root.resolve()
    files = survey(root)
    plan = Plan(root, [found for found in detect(files) if not only or found.framework in only])
    _refuse_what_is_not_there(plan, only)
    if not files.complete:
        plan.notes.append(
            "the project has more files than are looked at: a framework may have been overlooked."
        )
    in_use = {found.framework for found in plan.found if found.supported}
    if "pytest" in in_use:
        PYTEST.add(plan, root / targets.conftest(files), force=force)
    if "robot" in in_use:
        _add_robot(plan, files, force=force)
    if "behave" in in_use:
        for folder in behave_folders(files):
            BEHAVE.add(plan, root / folder / "environment.py", force=force)
    if in_use.intersection(JVM):
        jvm.add(plan, files, in_use, force=force, driver=with_postgres)
    node.add(plan, files, in_use, force=force)
    if in_use:
        _add_settings(plan)
    return plan


def _refuse_what_is_not_there(plan: Plan, only: Collection[str]) -> None:
    for framework in only:
        found = next((found for found in plan.found if found.framework == framework), None)
        if found is None:
            plan.refuse(FRAMEWORKS[framework], f"was not found in {plan.root}.")
        elif not found.supported:
            plan.refuse(found.name, f"({found.evidence.as_posix()}): {found.instead}.")
    if not only and not plan.found:
        plan.refuse("no test framework", f"was found in {plan.root}. Name the folder of the project.")


def _add_robot(plan: Plan, files: Survey, *, force: bool) -> None:
    folders = robot_folders(files)
    if not folders:
        plan.notes.append(
            "Robot Framework: no suite with tests was found. With one, run 'crossbridge init' again."
        )
        return
    listener = plan.root / LISTENER.file
    LISTENER.add(plan, listener, force=force)
    for folder in folders:
        path = plan.root / folder / SUITE_FILE
        changes = len(plan.changes)
        text_hook.add(plan, path, _suite_lines(path, listener), _PURPOSES[SUITE_FILE], together=True)
        if len(plan.changes) > changes and path.exists() and not force and has_uncommitted_changes(path):
            plan.refuse(path, COMMIT)
    started_on = ", ".join(folder.as_posix() for folder in folders)
    plan.notes.append(
        f"Robot Framework: recorded when started on {started_on}. For a single file or a folder in it:"
        f" export {ROBOT_OPTIONS}"
    )


def _suite_lines(path: Path, listener: Path) -> list[str]:
    relative = os.path.relpath(listener, path.parent).replace(os.sep, "/")
    return [line.replace(LISTENER.file, relative) for line in template(SUITE_FILE)]


def _add_settings(plan: Plan) -> None:
    example, dotenv = plan.root / ".env.example", plan.root / ".env"
    text_hook.create(plan, example, list(template("env.example")), _PURPOSES[".env.example"])
    if may_be_on({}, plan.root):
        pass  # the project has settings of its own
    elif dotenv.exists():
        plan.notes.append(f".env is yours and stays as it is. Switch profiling on in it: {_SWITCH}")
    else:
        text_hook.create(plan, dotenv, [_SWITCH], _PURPOSES[".env"], secret=True)
        plan.notes.append(f"git ignores .env: in CI, set {_SWITCH} in the job's environment.")
    text_hook.add(plan, plan.root / ".gitignore", list(_IGNORED), _PURPOSES[".gitignore"])


def plan_remove(root: Path, *, force: bool = False) -> Plan:
    """
    Plan to take out all that `plan_init` ever wrote below `root`, found by its marks.

    With `force`, lines of ours that somebody has edited go too.
    """
    root = root.resolve()
    files = survey(root)
    plan = Plan(root)
    for hook in (PYTEST, BEHAVE, LISTENER):
        for path in files.named(hook.file):
            hook.take_out(plan, root / path, force=force)
    for path in files.named(SUITE_FILE):
        ours = frozenset(_suite_lines(root / path, root / LISTENER.file))
        text_hook.take_out(plan, root / path, ours, _PURPOSES[SUITE_FILE])
    jvm.take_out(plan, files, force=force)
    node.take_out(plan, files)
    copies.take_out(plan, files, force=force)
    for name, lines in (
        (".env.example", template("env.example")),
        (".env", (_SWITCH,)),
        (".gitignore", _IGNORED),
    ):
        text_hook.take_out(plan, root / name, frozenset(lines), _PURPOSES[name])
    return plan
