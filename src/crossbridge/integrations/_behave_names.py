"""What behave's scenarios and steps are called in events: names that stay, and hold no values.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from behave.model import ScenarioOutline

from crossbridge.integrations import _session
from crossbridge.profiling.identity import test_id as stable_id

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')


def without_quoted(text: str) -> str:
    """Return a step's text without what is quoted in it: the values it is about."""
    return _QUOTED.sub('"…"', text)


class Patterns:
    """What step definitions match, by the function they call: the texts of steps hold values, patterns do not."""

    def __init__(self) -> None:
        self._matchers: dict[Any, list[Any]] = {}

    def of(self, registry: Any, step: Any, match: Any) -> str:
        """Return the pattern a step was matched by; the step's own text without its values when there is none."""
        function = getattr(match, "func", None)
        if function is None:
            return without_quoted(step.name)
        if function not in self._matchers:
            self._read(registry)
        matchers = self._matchers.get(function, [])
        if len(matchers) > 1:
            matchers = [matcher for matcher in matchers if matcher.match(step.name)]
        return _written(matchers[0].pattern) if matchers else without_quoted(step.name)

    def _read(self, registry: Any) -> None:
        self._matchers = {}
        for matchers in registry.steps.values():
            for matcher in matchers:
                self._matchers.setdefault(matcher.func, []).append(matcher)


def _written(pattern: Any) -> str:
    """Return a pattern as its author wrote it: behave anchors regular expressions."""
    text = str(pattern)
    return text[1:-1] if text[:1] == "^" and text[-1:] == "$" else text


class Name:
    """What a scenario, feature or rule is called in events; no value of an example row is in it."""

    __slots__ = ("file", "of", "suite", "test_id")

    def __init__(self, of: Any, test_id: str, suite: str, file: str) -> None:
        self.of = of
        self.test_id = test_id
        self.suite = suite
        self.file = file


class Names:
    """The names of one feature's parts at a time; files as seen from the project root."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folder = os.getcwd()  # noqa: PTH109  (later a step may change it)
        self._feature: Any = None
        self._names: dict[int, Name] = {}

    def read(self, feature: Any) -> None:
        """Name a feature and all in it."""
        path = os.path.join(self._folder, feature.filename)  # noqa: PTH118  (an absolute one stays)
        file = _session.relative_file(os.path.normpath(path), self._root)
        times_seen: dict[str, int] = {}
        self._feature, self._names = feature, {}
        for part, title in _parts(feature):
            raw = "::".join((file, *title))
            times_seen[raw] = number = times_seen.get(raw, 0) + 1
            test_id = stable_id(raw if number == 1 else f"{raw} #{number}", self._root)
            self._names[id(part)] = Name(part, test_id, feature.name or file, file)

    def of(self, part: Any) -> Name:
        """Return the name of a scenario, rule or feature of the one that was read last."""
        name = self._names.get(id(part))
        if name is None or name.of is not part:  # a hook has changed the examples: they were made anew
            self.read(self._feature)
            name = self._names[id(part)]
        return name


def _parts(feature: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Yield a feature, its rules and all scenarios with their titles, outlines row by row."""
    yield feature, ()
    yield from _scenarios(feature, ())
    for rule in getattr(feature, "rules", ()):
        yield rule, (rule.name,)
        yield from _scenarios(rule, (rule.name,))


def _scenarios(container: Any, titles: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    for scenario in container.scenarios:
        if isinstance(scenario, ScenarioOutline):
            for row in scenario.scenarios:
                # The first table's rows are 1, 2, ...; the second table's 2.1, 2.2, ...
                number = row._row.id.removeprefix("1.")  # noqa: SLF001  (nowhere else)
                yield row, (*titles, f"{scenario.name} [{number}]")
        else:
            yield scenario, (*titles, scenario.name)
