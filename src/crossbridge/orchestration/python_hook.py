"""Our lines in a Python source of the project's: a fixture in conftest.py, a call in environment.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossbridge.orchestration import block, source
from crossbridge.orchestration.git import has_uncommitted_changes
from crossbridge.orchestration.templates import template

if TYPE_CHECKING:
    import ast
    from pathlib import Path

    from crossbridge.orchestration.plan import Plan

_BLANK_LINES = 2  # as PEP 8 has them between definitions

COMMIT = "has changes that are not committed. Commit them, or write into it all the same with --force."


@dataclass(frozen=True)
class PythonHook:
    """
    A template that goes into a source file.

    `imported` is the module it imports for itself, and `api` what a user imports who has written such a hook by hand.
    """

    file: str
    imported: str
    api: tuple[str, ...]
    purpose: str

    def add(self, plan: Plan, path: Path, *, force: bool) -> None:
        """Plan to put our lines at the end of the file, or to bring them up to date."""
        refusals = len(plan.refusals)
        before = plan.read(path)
        if len(plan.refusals) > refusals:
            return
        if before is None:
            plan.change(path, None, block.insert(None, self._lines()), self.purpose)
            return
        try:
            after = self._merged(before)
        except _Conflict as conflict:
            plan.refuse(path, str(conflict))
            return
        if after == before:
            return
        if not force and has_uncommitted_changes(path):
            plan.refuse(path, COMMIT)
            return
        plan.change(path, before, after, self.purpose)

    def _merged(self, content: bytes) -> bytes:
        there = _find(content)
        original = content if there is None else there.before + there.after
        tree = _parse(original)
        lines = whole = self._lines()
        if source.has_import(tree, self.imported):
            lines = source.without_import(lines, self.imported)
        if there is not None:
            is_ours = any(source.same_code(there.body, one) for one in (lines, whole))
            return content if is_ours else block.replace(there, lines)
        if self._is_there_by_hand(tree):
            return content
        self._check_names(tree)
        merged = block.insert(content, lines, blank_lines=_BLANK_LINES)
        if not source.begins_with(_parse(merged), tree):
            raise _Conflict("cannot be added to without changing what is in it. Add the hook by hand.")
        return merged

    def _lines(self) -> list[str]:
        return list(template(self.file))

    def _is_there_by_hand(self, tree: ast.Module) -> bool:
        return any(source.imports(tree, api) for api in self.api)

    def _check_names(self, tree: ast.Module) -> None:
        ours = {
            binding.name: binding for binding in source.bindings(_parse("\n".join(self._lines()).encode()))
        }
        for theirs in source.bindings(tree):
            our = ours.get(theirs.name)
            if our is not None and (our.module is None or our.module != theirs.module):
                raise _Conflict(
                    f"line {theirs.line} gives the name {theirs.name} to something else than CrossBridge's."
                    " Rename it, or leave this framework out with --framework."
                )

    def take_out(self, plan: Plan, path: Path, *, force: bool) -> None:
        """Plan to take our lines out of the file, and the file away when we made it and it holds nothing else."""
        before = plan.read(path)
        if before is None:
            return
        try:
            there = _find(before)
            if there is None:
                return
            kept = self._kept_import(there)
        except _Conflict as conflict:
            plan.refuse(path, str(conflict))
            return
        if not force and not self._is_unedited(there.body):
            plan.refuse(
                path,
                f"line {there.line} and on: what 'crossbridge init' wrote was edited."
                " Take it out by hand, or have it thrown away with --force.",
            )
            return
        plan.change(path, before, block.remove(there, kept, blank_lines=_BLANK_LINES), self.purpose)
        if kept:
            plan.notes.append(
                f"{plan.name(path)} keeps 'import {self.imported}': your own lines use it by now."
            )

    def _is_unedited(self, body: bytes) -> bool:
        lines = self._lines()
        return any(
            source.same_code(body, one) for one in (lines, source.without_import(lines, self.imported))
        )

    def _kept_import(self, there: block.Block) -> bytes:
        """Return the line that must stay because what the user wrote behind ours leans on our import."""
        rest = _parse(there.before + there.after)
        is_needed = (
            source.has_import(_parse(there.body), self.imported)
            and source.uses(rest, self.imported, behind_line=len(there.before.splitlines()))
            and not source.imports(rest, self.imported)
        )
        return f"import {self.imported}".encode() + there.newline if is_needed else b""


class _Conflict(Exception):
    """Why a file cannot be written to; the text follows on its name."""


def _find(content: bytes) -> block.Block | None:
    try:
        return block.find(content)
    except block.BrokenMarks:
        raise _Conflict(block.BROKEN) from None


def _parse(content: bytes) -> ast.Module:
    try:
        return source.parse(content)
    except source.Unparsable as error:
        raise _Conflict(f"cannot be parsed as Python ({error}). Mend it first.") from None


PYTEST = PythonHook(
    "conftest.py",
    "pytest",
    ("crossbridge.profiling", "core.profiling"),
    "the fixture crossbridge_profiling",
)
BEHAVE = PythonHook(
    "environment.py", "sys", ("crossbridge.integrations.behave",), "has the scenarios recorded"
)
LISTENER = PythonHook(
    "crossbridge_listener.py", "sys", ("crossbridge.integrations.robot_library",), "the listener"
)
