"""Projects of Playwright and Cypress: our sources beside the configuration, which is passed through them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from crossbridge.orchestration import block, copies, javascript
from crossbridge.orchestration.detection import FRAMEWORKS, NODE
from crossbridge.orchestration.git import has_uncommitted_changes
from crossbridge.orchestration.python_hook import COMMIT

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from crossbridge.orchestration.plan import Plan
    from crossbridge.orchestration.survey import Survey

_SUFFIXES = (".js", ".ts", ".mjs", ".cjs", ".mts", ".cts")
_FOLDER = "crossbridge"
_SOURCE = "CrossBridge's sources"
_CONFIG = "adds CrossBridge to the configuration"
_MANIFEST = (
    b"{\n"
    b"  \"description\": \"Made by 'crossbridge init', taken away by 'crossbridge init --remove'.\",\n"
    b'  "private": true,\n'
    b'  "type": "module"\n'
    b"}\n"
)
_DRIVER = (
    "pg: not among the project's packages. Results stay in the spool for 'crossbridge ingest'; they are delivered"
    " while tests run after: npm install --save-dev pg"
)


def add(plan: Plan, files: Survey, only: Collection[str], *, force: bool) -> None:
    """Plan the hooks of the frameworks `only`: for every configuration of theirs that is found."""
    adapters: dict[Path, set[str]] = {}
    for framework in NODE:
        if framework not in only:
            continue
        configs = [path for path in files.named(f"{framework}.config.*") if path.suffix in _SUFFIXES]
        for path in configs or _without_config(plan, framework):
            adapters.setdefault(path.parent, set()).add(framework)
            _add_to_config(plan, plan.root / path, framework, force=force)
    for folder, frameworks in adapters.items():
        _add_sources(plan, plan.root / folder / _FOLDER, frameworks, force=force)
    if adapters and not _has_driver(files):
        plan.notes.append(_DRIVER)


def _without_config(plan: Plan, framework: str) -> list[Path]:
    """Return the configuration to be made: Playwright works without one, beside the package.json that names it."""
    evidence = next(found.evidence for found in plan.found if found.framework == framework)
    if framework == "playwright" and evidence.name == "package.json":
        return [evidence.with_name("playwright.config.cjs")]
    plan.notes.append(f"{FRAMEWORKS[framework]}: no {framework}.config.js or .ts was found. Make one first.")
    return []


def _add_to_config(plan: Plan, path: Path, framework: str, *, force: bool) -> None:
    module = f"./{_FOLDER}/{framework}/config.cjs"
    refusals = len(plan.refusals)
    before = plan.read(path)
    if len(plan.refusals) > refusals:
        return
    if before is None:
        line = f"module.exports = require('{module}').{javascript.FUNCTION}({{}});"
        plan.change(path, None, block.insert(None, [line], style=block.SLASHES), _CONFIG)
        return
    try:
        after = javascript.wrapped(before, module)
    except javascript.Unwrappable as error:
        plan.refuse(path, str(error))
    except block.BrokenMarks:
        plan.refuse(path, block.BROKEN)
    else:
        if after != before and not force and has_uncommitted_changes(path):
            plan.refuse(path, COMMIT)
        else:
            plan.change(path, before, after, _CONFIG)


def _add_sources(plan: Plan, folder: Path, frameworks: set[str], *, force: bool) -> None:
    top = copies.sdk() / "js" / "src"
    sources = [source for name in ("core", *sorted(frameworks)) for source in copies.walk(top / name, name)]
    copies.add(plan, sources, copies.Destination(folder, folder.parent, _SOURCE), force=force)
    manifest = folder / "package.json"
    before = plan.read(manifest)
    if before is None:
        plan.change(manifest, None, _MANIFEST, _SOURCE, shown_as=folder)
    elif not _is_manifest(before):
        plan.refuse(manifest, "is not of 'crossbridge init', which would write it. Move it away.")


def _is_manifest(content: bytes) -> bool:
    return content.replace(b"\r\n", b"\n") == _MANIFEST


def _has_driver(files: Survey) -> bool:
    for path in files.named("package.json"):
        try:
            package = json.loads(files.text(path))
        except (ValueError, RecursionError):
            continue
        if isinstance(package, dict) and any(
            isinstance(package.get(key), dict) and "pg" in package[key]
            for key in ("dependencies", "devDependencies", "optionalDependencies")
        ):
            return True
    return False


def take_out(plan: Plan, files: Survey) -> None:
    """Plan to take out all that `add` ever wrote: but for the copies, which `copies.take_out` finds."""
    for path in files.named(*(f"{framework}.config.*" for framework in NODE)):
        before = plan.read(plan.root / path)
        if before is None or path.suffix not in _SUFFIXES:
            continue
        try:
            after = javascript.unwrapped(before)
        except javascript.Unwrappable as error:
            plan.refuse(plan.root / path, str(error))
        except block.BrokenMarks:
            plan.refuse(plan.root / path, block.BROKEN)
        else:
            plan.change(plan.root / path, before, after, _CONFIG)
    for path in files.named("package.json"):
        full = plan.root / path
        if path.parent.name == _FOLDER and _is_manifest(plan.read(full) or b""):
            plan.change(full, plan.read(full), None, _SOURCE, within=plan.root, shown_as=full.parent)
