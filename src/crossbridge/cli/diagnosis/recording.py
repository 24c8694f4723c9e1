"""Whether anything is recorded, and at what price to the tests."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from difflib import get_close_matches
from functools import partial
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING

from crossbridge.cli.diagnosis import Check
from crossbridge.profiling.config import PASSWORD, SETTINGS, settings_texts
from crossbridge.profiling.dotenv import parse
from crossbridge.profiling.models import StorageBackendType
from crossbridge.profiling.yaml_block import profiling_block
from crossbridge.switch import FALSE, SWITCHES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crossbridge.profiling.models import ProfileConfig

    Texts = dict[str, tuple[str, str]]  # of a setting: its text, and the place it stands in

# A write of one event takes some microseconds on a local disk.
SLOW_WRITE_US = 500.0
_TRIALS = 50
_PYTEST_FILES = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_SWITCH_ON = "Set CROSSBRIDGE_PROFILING=true in the environment of the tests, or in .env."
_check = partial(Check, "recording")


def checks(config: ProfileConfig) -> Iterator[Check]:
    """Look at what is recorded, by whom, and how long it holds up a test."""
    texts = settings_texts(os.environ, config.project_root)
    yield _switch(texts)
    yield _settings(texts, dict(_misspelt(config.project_root)))
    yield _backend(config)
    yield _pytest_plugin(config)
    yield _cost(config)


def _switch(texts: Texts) -> Check:
    """Whether profiling is on, and who says so."""
    said = {name: texts[name] for name in SWITCHES if name in texts}
    words = ", ".join(f"{name}={text} ({place})" for name, (text, place) in said.items())
    if not said:
        return _check("switch", "warn", "off: neither switch is set", _SWITCH_ON)
    if any(text.lower() in FALSE for text, _ in said.values()):
        return _check("switch", "warn", f"off: {words}", "Unset it, or set it to true.")
    return _check("switch", "ok", f"on: {words}")


def _misspelt(root: Path) -> Iterator[tuple[str, str]]:
    """Yield each name that is set and no setting, but nearly one, with that one."""
    known = {name for setting in SETTINGS for name in (setting.name, setting.yaml) if name}
    names = list(os.environ)
    for file, parsed in ((".env", parse), ("crossbridge.yml", profiling_block)):
        with contextlib.suppress(OSError):
            names += parsed((root / file).read_text(encoding="utf-8-sig"))
    for name in names:
        if name not in known and (near := get_close_matches(name, known, n=1, cutoff=0.9)):
            yield name, near[0]


def _settings(texts: Texts, misspelt: dict[str, str]) -> Check:
    if misspelt:
        mend = f"Write {' and '.join(misspelt.values())}."
        return _check("settings", "warn", f"no setting, and ignored: {', '.join(misspelt)}", mend)
    shown = [
        f"{name} ({place})" if name == PASSWORD else f"{name}={text} ({place})"
        for name, (text, place) in texts.items()
        if name not in SWITCHES
    ]
    rest = f"{len(SETTINGS) - len(texts)} by default"
    return _check("settings", "ok", ", ".join([*shown, rest]))


def _backend(config: ProfileConfig) -> Check:
    backend = config.backend
    if backend is StorageBackendType.NONE:
        mend = "Run 'crossbridge ingest' after the tests, or unset CROSSBRIDGE_PROFILING_BACKEND."
        return _check("backend", "warn", "none: events stay in the spool", mend)
    if backend is StorageBackendType.LOCAL and config.postgres_host:
        mend = "Unset CROSSBRIDGE_PROFILING_BACKEND to use the server that CROSSBRIDGE_DB_HOST names."
        return _check("backend", "warn", "local, though a server is configured", mend)
    where = "the embedded server" if backend is StorageBackendType.LOCAL else "a PostgreSQL server"
    return _check("backend", "ok", f"{backend.value}: {where}")


def _pytest_plugin(config: ProfileConfig) -> Check:
    name = "pytest plugin"
    if find_spec("pytest") is None:
        return _check(name, "ok", "pytest is not installed in this environment")
    if not any(entry.name == "crossbridge" for entry in entry_points(group="pytest11")):
        mend = "Install crossbridge in the environment of the tests: pip install crossbridge"
        return _check(name, "fail", "not registered with pytest", mend)
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        mend = "Add '-p crossbridge.integrations.pytest' to the command, or unset it."
        return _check(name, "warn", "PYTEST_DISABLE_PLUGIN_AUTOLOAD is set", mend)
    barred = [place for place, text in _pytest_options(config.project_root) if "no:crossbridge" in text]
    if barred:
        mend = "Remove '-p no:crossbridge' from it."
        return _check(name, "warn", f"switched off by {', '.join(barred)}", mend)
    return _check(name, "ok", "registered with pytest")


def _pytest_options(root: Path) -> Iterator[tuple[str, str]]:
    yield "PYTEST_ADDOPTS", os.environ.get("PYTEST_ADDOPTS", "")
    for name in _PYTEST_FILES:
        with contextlib.suppress(OSError):
            yield name, (root / name).read_text(encoding="utf-8", errors="replace")


def _cost(config: ProfileConfig) -> Check:
    """Time what a hook does with an event: append it to a file in the spool."""
    spool = _nearest(config.spool_path)
    path = spool / f".crossbridge-doctor-{os.getpid()}"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        mend = "Let the user of the tests write there, or set CROSSBRIDGE_SPOOL_DIR."
        return _check("cost", "fail", f"cannot write in {spool}: {error.strerror}", mend)
    try:
        median_us = statistics.median(_append_us(fd) for _ in range(_TRIALS))
    except OSError as error:
        mend = "Make room, or set CROSSBRIDGE_SPOOL_DIR to another disk."
        return _check("cost", "fail", f"cannot write in {spool}: {error.strerror}", mend)
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)
    seen = f"{median_us:.1f} µs to write an event to {spool}"
    if median_us > SLOW_WRITE_US:
        return _check("cost", "warn", seen, "Set CROSSBRIDGE_SPOOL_DIR to a folder on a local disk.")
    return _check("cost", "ok", seen)


def _append_us(fd: int) -> float:
    line = b"x" * 200 + b"\n"
    began = time.perf_counter_ns()
    os.write(fd, line)
    return (time.perf_counter_ns() - began) / 1000


def _nearest(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if os.path.exists(folder))  # noqa: PTH110  (Path.exists raises where it may not look)
