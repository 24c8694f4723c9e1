"""What a Maven module compiles with, and our block of dependencies in its pom.xml."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossbridge.orchestration import block, pom
from crossbridge.orchestration.build import DRIVER, LAUNCHER, Blocked, edited, platform_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAMES = {LAUNCHER, DRIVER.rpartition(":")[0]}
_LEVELS = (
    "maven.compiler.testRelease",
    "maven.compiler.testSource",
    "maven.compiler.release",
    "maven.compiler.source",
)
_LEVEL_TAGS = ("testRelease", "testSource", "release", "source")
_COMPILER = "maven-compiler-plugin"
_SPRING_BOOT = "spring-boot-starter-parent"
_BOMS = {"junit-bom", "spring-boot-dependencies", "quarkus-bom", "micronaut-bom", "micronaut-platform"}
_VISIBLE = ("", "compile", "test", "provided")
_JUPITER = ("junit-jupiter", "junit-jupiter-api", "junit-jupiter-engine", "junit-jupiter-params")
_VINTAGE = "org.junit.vintage:junit-vintage-engine"
_PLATFORM = ("org.junit.platform:junit-platform-suite", "org.junit.platform:junit-platform-suite-api")
_INHERIT = "Have Maven fetch its parent by 'mvn -q validate' and run it again, or set"


class MavenBuild:
    """A module's pom.xml; `content` is what the user has written, without our lines."""

    file_name = "pom.xml"

    def __init__(self, path: Path, content: bytes) -> None:
        self._there = block.find(content, block.XML)
        self._content = content
        own = content if self._there is None else self._there.before + self._there.after
        self._own = own
        self.pom = pom.Pom(path, own)

    def mentions(self, *words: str) -> bool:
        """Tell whether the module, its parents or their BOMs name an artifact in which one of the words is."""
        names = {one.name for one in self.pom.dependencies()}
        return any(word in name for word in words for name in names)

    def folder(self, kind: str, default: str) -> str:
        """Return `testSourceDirectory` or the first of `testResources`, relative to the module's folder."""
        for one in self.pom.chain:
            found = one.root.value(f"build/{kind}")
            if found:
                name = found.replace("${project.basedir}", ".").replace("${basedir}", ".")
                return self.pom.filled(name)
        return default

    def java_level(self) -> int:
        """
        Return the version of Java that tests are compiled for.

        Raises:
            Blocked: It is not to be seen.
        """
        for text in self._levels():
            if found := re.fullmatch(r"(?:1\.)?([0-9]+)", text):
                return int(found[1])
        if self.pom.complete:
            return 8  # the compiler plugin's own default, or older
        raise Blocked(
            f"does not say for which Java it is compiled. {_INHERIT} <maven.compiler.testRelease> in it."
        )

    def _levels(self) -> Iterator[str]:
        for one in self.pom.chain:
            for path in ("build/plugins/plugin", "build/pluginManagement/plugins/plugin"):
                for plugin in one.root.all(path):
                    if plugin.value("artifactId") == _COMPILER:
                        for tag in _LEVEL_TAGS:
                            yield self.pom.filled(plugin.value(f"configuration/{tag}"))
        for name in _LEVELS:
            yield self.pom.property(name)
        last = self.pom.chain[-1].root.first("parent")
        if last is not None and last.value("artifactId") == _SPRING_BOOT:
            is_old = last.value("version").startswith(("1.", "2."))
            yield self.pom.property("java.version") or ("8" if is_old else "17")

    def with_dependencies(self, *, launcher: bool, driver: bool) -> bytes:
        """
        Return the file with what is to be on the test class path, as far as it is not there.

        Raises:
            Blocked: A version is not to be seen, or there is no line to write at.
        """
        ours = self._ours()
        there = {one.name for one in self.pom.dependencies() if one.scope in _VISIBLE}
        any_scope = {one.name for one in self.pom.dependencies()}
        name, _, version = DRIVER.rpartition(":")
        wanted: list[tuple[str, str]] = []
        if launcher and LAUNCHER not in there:
            wanted.append((LAUNCHER, self._launcher_version()))
        if (driver or name in ours) and name not in any_scope:
            wanted.append((name, "" if name in self.pom.managed() or self._has_bom("boot") else version))
        if {name for name, _ in wanted} == ours:
            return self._content
        return self._written(wanted) if wanted else self._own

    def without_dependencies(self, *, force: bool) -> bytes:
        """
        Return the file without our lines.

        Raises:
            Blocked: Somebody has put something else between them.
        """
        if self._there is not None and not force and not self._ours() <= _NAMES:
            raise edited(self._there.line)
        return self._own

    def _ours(self) -> set[str]:
        if self._there is None:
            return set()
        try:
            root = pom.parse(b"<project>" + self._there.body + b"</project>")
        except pom.Unreadable:
            return {"?"}
        found = [*root.all("dependency"), *root.all("dependencies/dependency")]
        others = [one for one in root.children if one.tag not in ("dependency", "dependencies")]
        return {f"{one.value('groupId')}:{one.value('artifactId')}" for one in found} | {
            one.tag for one in others
        }

    def _has_bom(self, word: str = "") -> bool:
        """Tell whether a BOM or parent that is known to manage such versions is in use, be it not to be found here."""
        for one in self.pom.chain:
            parent = one.root.value("parent/artifactId")
            if parent == _SPRING_BOOT:
                return True
        return any(
            name.partition(":")[2] in _BOMS and word in name.partition(":")[2] for name in self.pom.managed()
        )

    def _launcher_version(self) -> str:
        """Return the version to write; nothing where one is managed."""
        managed = self.pom.managed()
        if LAUNCHER in managed or self._has_bom():
            return ""
        versions = {one.name: one.version for one in self.pom.dependencies()}
        for name in (*(f"org.junit.jupiter:{artifact}" for artifact in _JUPITER), _VINTAGE, *_PLATFORM):
            version = platform_version(versions.get(name) or managed.get(name, ""))
            if name in versions and version:
                return version
        raise Blocked(
            f"does not show which version of JUnit it uses. Add {LAUNCHER} in test scope by hand,"
            " then run it again."
        )

    def _written(self, wanted: list[tuple[str, str]]) -> bytes:
        element = self.pom.root.first("dependencies")
        begin, indent = _line_of(self._own, self.pom.root.end if element is None else element.end)
        found = re.search(rb"[\r\n]([ \t]+)<", self._own)
        step = found[1] if found else b"  "
        lines = [line for name, version in wanted for line in _dependency(name, version, step.decode())]
        if element is None:
            lines = ["<dependencies>", *(step.decode() + line for line in lines), "</dependencies>"]
        return block.insert_at(self._own, begin, lines, block.XML, indent + step)


def _dependency(name: str, version: str, step: str) -> list[str]:
    group, _, artifact = name.partition(":")
    inner = [f"<groupId>{group}</groupId>", f"<artifactId>{artifact}</artifactId>"]
    if version:
        inner.append(f"<version>{version}</version>")
    return ["<dependency>", *(step + line for line in (*inner, "<scope>test</scope>")), "</dependency>"]


def _line_of(content: bytes, at: int) -> tuple[int, bytes]:
    """Return where the line of an end tag begins, and its indentation."""
    begin = max(content.rfind(b"\n", 0, at), content.rfind(b"\r", 0, at)) + 1
    indent = content[begin:at]
    if indent.strip(b" \t") or content[at : at + 2] != b"</":
        tag = content[at : content.find(b">", at) + 1].decode("utf-8", "replace") or "</dependencies>"
        raise Blocked(f"has {tag} behind something else. Put it on a line of its own, then run it again.")
    return begin, indent
