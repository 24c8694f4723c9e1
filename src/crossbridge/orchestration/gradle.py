"""What a Gradle module compiles with, as far as its scripts say so in plain words, and our block in one of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossbridge.orchestration import block
from crossbridge.orchestration.build import DRIVER, LAUNCHER, Blocked, edited, platform_version

if TYPE_CHECKING:
    from pathlib import Path

_LEVEL = re.compile(
    r"(?:sourceCompatibility|options\.release|JavaLanguageVersion\.of|jvmToolchain)"
    r"[\s=.(]*(?:set\(|of\()?\s*['\"]?(?:JavaVersion\.VERSION_)?(?:1[._])?([0-9]+)"
)
_VINTAGE = re.compile(r"org\.junit\.vintage:junit-vintage-engine:([0-9][A-Za-z0-9.-]*)")
_OURS = re.compile(
    r"""['"]?test(?:Implementation|RuntimeOnly)['"]?\(['"]([\w.]+:[\w-]+)(?::[\w.-]+)?['"]\)"""
)
_NAMES = {LAUNCHER, DRIVER.rpartition(":")[0]}


class GradleBuild:
    """
    A module's build script; `content` is what the user has written, without our lines.

    `around` are the texts of the scripts and catalogs above it, which may say something about it.
    """

    def __init__(self, path: Path, content: bytes, around: str = "") -> None:
        self._content = content
        self._there = block.find(content, block.SLASHES)
        self._own = content if self._there is None else block.remove(self._there) or b""
        self._kotlin = path.suffix == ".kts"
        self._text = self._own.decode("utf-8", "replace")
        self._all = f"{self._text}\n{around}"

    def mentions(self, *words: str) -> bool:
        """Tell whether the module's script or one around it has one of the words."""
        return any(word in self._all for word in words)

    def folder(self, kind: str, default: str) -> str:  # noqa: ARG002  (as MavenBuild's)
        return default

    def java_level(self) -> int:
        """Return the version of Java that tests are compiled for: by default that of the JDK, which is new enough."""
        return min((int(level) for level in _LEVEL.findall(self._all)), default=17)

    def with_dependencies(self, *, launcher: bool, driver: bool) -> bytes:
        """
        Return the file with what is to be on the test class path, as far as it is not there.

        Raises:
            Blocked: The JUnit Platform's version is not to be seen.
        """
        ours = self._ours()
        name = DRIVER.rpartition(":")[0]
        wanted = {}
        if launcher and not re.search(rf"test(?:Implementation|CompileOnly)\W+{LAUNCHER}", self._text):
            wanted[LAUNCHER] = self._line("testImplementation", LAUNCHER + self._launcher_version())
        if (driver or name in ours) and name not in self._text:
            wanted[name] = self._line("testRuntimeOnly", DRIVER)
        if wanted.keys() == ours:
            return self._content
        if not wanted:
            return self._own
        lines = ["dependencies {", *wanted.values(), "}"]
        return block.insert(self._own, lines, style=block.SLASHES)

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
        lines = [line.strip() for line in self._there.body.decode("utf-8", "replace").splitlines()]
        found = {line: _OURS.fullmatch(line) for line in lines if line not in ("dependencies {", "}", "")}
        return {match[1] if match else line for line, match in found.items()}

    def _line(self, configuration: str, artifact: str) -> str:
        # In Kotlin the name by itself is only known where the script itself applies the plugin.
        return (
            f'    "{configuration}"("{artifact}")' if self._kotlin else f"    {configuration}('{artifact}')"
        )

    def _launcher_version(self) -> str:
        """Return ':VERSION'; nothing where Jupiter's own metadata brings it along."""
        if "org.junit.jupiter" in self._all or "junit-bom" in self._all:
            return ""
        found = _VINTAGE.search(self._all)
        if found is not None:
            return f":{platform_version(found[1])}"
        if "spring-boot" in self._all or "io.quarkus" in self._all:
            return ""
        raise Blocked(
            f'does not show which version of JUnit it uses. Add testImplementation("{LAUNCHER}:...") by hand,'
            " then run it again."
        )
