"""
pom.xml as a tree that knows its bytes, and what Maven makes of it: inherited values, properties, managed versions.

Parents and BOMs are read where Maven has them: in the project, by `relativePath`, or in the local repository.
Nothing is fetched. What cannot be found leaves the answer open: `Pom.complete` is False then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROPERTY = re.compile(r"\$\{([^{}]+)\}")
_MOST_DEEP = 20  # parents, BOMs within BOMs, properties within properties
_REPOSITORY = Path(".m2", "repository")


class Unreadable(ValueError):
    """The file is none that can be worked on; the text says why, and follows on its name."""


class Unsure(ValueError):
    """Profiles give a property several values; the text is its name."""


@dataclass
class Element:
    """An element; `end` is the byte at which its end tag begins."""

    tag: str
    end: int = 0
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, path: str) -> Iterator[Element]:
        """Yield the elements at a path of tags."""
        tag, _, rest = path.partition("/")
        for child in self.children:
            if child.tag == tag:
                yield from child.all(rest) if rest else (child,)

    def first(self, path: str) -> Element | None:
        return next(self.all(path), None)

    def value(self, path: str) -> str:
        found = self.first(path)
        return "" if found is None else found.text.strip()


def parse(content: bytes) -> Element:
    """
    Parse a pom.xml.

    Raises:
        Unreadable: It is not well-formed, has a document type (which may hide content), or is encoded in wide units.
    """
    parser = expat.ParserCreate()
    open_elements = [Element("")]

    def start(name: str, _: object) -> None:
        element = Element(name.rpartition(":")[2])
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop().end = parser.CurrentByteIndex

    def text(data: str) -> None:
        open_elements[-1].text += data

    def doctype(*_: object) -> None:
        raise Unreadable("has a document type, which Maven has no use for. Take the line <!DOCTYPE> out.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text, doctype
    try:
        parser.Parse(content, True)  # noqa: FBT003
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"cannot be parsed as XML ({error}). Mend it first.") from error
    root = open_elements[0].children[0]
    if root.tag != "project" or content[root.end : root.end + 2] != b"</":
        raise Unreadable("is no Maven project in UTF-8 or another encoding of single bytes.")
    return root


@dataclass(frozen=True)
class Dependency:
    """An artifact that a pom names; nothing for what it leaves out. Properties are filled in."""

    group: str
    artifact: str
    version: str
    scope: str
    type: str

    @property
    def name(self) -> str:
        return f"{self.group}:{self.artifact}"


class Pom:
    """A project's model with its parents."""

    def __init__(self, path: Path, content: bytes, deep: int = 0) -> None:
        self.path = path
        self.root = parse(content)
        self._deep = deep

    @cached_property
    def parents(self) -> list[Pom]:
        """The parent, its parent and so on, as far as they are found."""
        found = self._parent()
        return [] if found is None else [found, *found.parents]

    @property
    def chain(self) -> list[Pom]:
        return [self, *self.parents]

    @property
    def complete(self) -> bool:
        """Whether all parents were found."""
        return self.chain[-1].root.first("parent") is None

    def _parent(self) -> Pom | None:
        parent = self.root.first("parent")
        if parent is None:
            return None
        group, artifact, version = (
            self.filled(parent.value(tag), own=True) for tag in ("groupId", "artifactId", "version")
        )
        relative = parent.first("relativePath")
        place = "../pom.xml" if relative is None else relative.text.strip()
        if place:
            path = self.path.parent / place
            near = self._read(path / "pom.xml" if path.is_dir() else path)
            if near is not None and near.root.value("artifactId") == artifact:
                return near
        return self._in_repository(group, artifact, version)

    def _in_repository(self, group: str, artifact: str, version: str) -> Pom | None:
        name = Path(*group.split("."), artifact, version, f"{artifact}-{version}.pom")
        return self._read(Path.home() / _REPOSITORY / name)

    def _read(self, path: Path) -> Pom | None:
        if self._deep >= _MOST_DEEP:
            return None
        try:
            return Pom(path, path.read_bytes(), self._deep + 1)
        except (OSError, Unreadable):
            return None

    def filled(self, text: str, *, own: bool = False) -> str:
        """
        Return a text with its properties filled in, those that are known; `own`: without asking the parents.

        Raises:
            Unsure: A profile sets one of them.
        """
        poms = [self] if own else self.chain
        for _ in range(_MOST_DEEP):
            filled = _PROPERTY.sub(lambda match: _property(poms, match[1]) or match[0], text)
            if filled == text:
                break
            text = filled
        return text

    def property(self, name: str) -> str:
        """Return a property's value, or nothing; raises `Unsure` as `filled` does."""
        return self.filled(_property(self.chain, name))

    def dependencies(self) -> list[Dependency]:
        """Return the dependencies, inherited ones too, without what profiles add."""
        return [one for pom in self.chain for one in self._named(pom, "dependencies/dependency")]

    def managed(self) -> dict[str, str]:
        """Return the versions that the pom, its parents and its BOMs fix, by group:artifact; the nearest counts."""
        found: dict[str, str] = {}
        boms: list[Dependency] = []
        for pom in self.chain:
            for one in self._named(pom, "dependencyManagement/dependencies/dependency"):
                if (one.scope, one.type) == ("import", "pom"):
                    boms.append(one)
                else:
                    found.setdefault(one.name, one.version)
        for one in boms:
            found.setdefault(one.name, one.version)  # a BOM by its own name: what it manages may not be here
            bom = self._in_repository(one.group, one.artifact, one.version)
            for name, version in bom.managed().items() if bom else ():
                found.setdefault(name, version)
        return found

    def _named(self, pom: Pom, path: str) -> Iterator[Dependency]:
        for element in pom.root.all(path):
            values = (
                self.filled(element.value(tag))
                for tag in ("groupId", "artifactId", "version", "scope", "type")
            )
            yield Dependency(*values)


def _property(poms: list[Pom], name: str) -> str:
    for pom in poms:
        if any(pom.root.all(f"profiles/profile/properties/{name}")):
            raise Unsure(name)
        if found := pom.root.value(f"properties/{name}"):
            return found
        parts = name.removeprefix("project.").removeprefix("pom.").replace(".", "/")
        if name.startswith(("project.", "pom.")) and (
            found := pom.root.value(parts) or pom.root.value(f"parent/{parts}")
        ):
            return found
    return ""
