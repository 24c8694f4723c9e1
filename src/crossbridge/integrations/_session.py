"""What the integrations do alike: switch on, join in, end with one line on stderr.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from crossbridge.errors import ConfigError
from crossbridge.integrations import _libraries
from crossbridge.profiling import guard
from crossbridge.profiling.collector import MetricsCollector
from crossbridge.profiling.config import load
from crossbridge.profiling.context import Active
from crossbridge.profiling.summary import summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from crossbridge.profiling.models import ProfileConfig

_Hook = TypeVar("_Hook", bound="Callable[..., None]")


def guarded(hook: _Hook) -> _Hook:
    """Decorate a hook so that no error of ours leaves it."""

    @wraps(hook)
    def call(*args: Any, **kwargs: Any) -> None:
        try:
            hook(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  (the one place that catches it)
            guard.caught(error, hook.__qualname__)

    return cast("_Hook", call)


def profiling_config() -> ProfileConfig | None:
    """Return the settings when profiling is on. It is off, with one warning, when one of them is wrong."""
    try:
        config = load()
    except ConfigError as error:
        _warn(f"crossbridge: profiling is off for this run: {error}")
        return None
    except Exception as error:  # noqa: BLE001
        guard.caught(error, "profiling_config")
        return None
    return config if config.enabled else None


def begin(
    config: ProfileConfig, framework: str, framework_version: str, worker: str | None = None
) -> MetricsCollector | None:
    """
    Begin to record, or join what this process records already.

    None when that is not possible, and when a running test has called the framework: that is a part of that test.
    """
    if (active := Active.collector) is not None and active.test is not None:
        return None
    collector = MetricsCollector.get_instance(config)
    started = collector.start(framework=framework, framework_version=framework_version, worker=worker)
    if not started:
        return None
    _libraries.watch()
    return collector


def finish(
    collector: MetricsCollector, status: str, *, timeout_s: float | None = None, quiet: bool = False
) -> None:
    """End what `begin` began and, unless another still records in this process, say where the events are."""
    collector.shutdown(status=status, timeout_s=timeout_s)
    _libraries.leave(collector)
    if not quiet and not collector.running:
        line, _ = summary(collector)
        guard.say(line)


@cache
def _warn(line: str) -> None:
    """Say it once, however often we are registered."""
    guard.say(line)


def relative_file(path: str, root: str) -> str:
    """Return an absolute path as the project sees it: the same on every machine."""
    prefix = root.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else os.path.relpath(path, root)
