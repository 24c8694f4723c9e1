"""Projects of the JVM: in each module with tests the adapters that it can compile, and what registers them."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.orchestration import block, copies, properties, text_hook
from crossbridge.orchestration.build import DRIVER, OLDEST_JAVA, Blocked
from crossbridge.orchestration.detection import JVM
from crossbridge.orchestration.git import has_uncommitted_changes
from crossbridge.orchestration.gradle import GradleBuild
from crossbridge.orchestration.maven import MavenBuild
from crossbridge.orchestration.pom import Unreadable, Unsure
from crossbridge.orchestration.python_hook import COMMIT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from crossbridge.orchestration.plan import Plan
    from crossbridge.orchestration.survey import Survey

# The module of sdk/java by the name that the database has.
_ADAPTERS = {name: folder.rpartition("/")[2] for name, folder in JVM.items()}
_RUNNERS = ("junit", "testng", "cucumber")
_BUILD_FILES = ("pom.xml", "build.gradle", "build.gradle.kts")
_SCRIPTS = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
_SOURCES = (".java", ".kt", ".groovy", ".scala")
_MOST_SOURCES = 5_000
_IMPORT = re.compile(
    r"^\s*import\s+(?:static\s+)?"
    r"(org\.junit\.jupiter|org\.junit\.platform|org\.junit|junit\.framework|org\.testng|io\.cucumber"
    r"|io\.restassured|org\.openqa\.selenium|spock\.lang|io\.kotest)\.",
    re.MULTILINE,
)
_PLATFORM = (
    "org.junit.jupiter",
    "org.junit.platform",
    "junit-vintage-engine",
    "useJUnitPlatform",
    "spock-core",
    "kotest-runner-junit5",
)
_PLUGIN = "crossbridge.profiling.cucumber.CucumberPlugin"
_SERVICES = "have the listener found"
_PROPERTIES = ("cucumber.properties", "junit-platform.properties")
_BUILD = "what the listener needs, for tests only"
_SOURCE = "CrossBridge's sources"


@dataclass(frozen=True)
class Module:
    """A folder that a build compiles and runs tests of; `imports` are the packages that its sources import from."""

    folder: Path
    path: Path
    build: MavenBuild | GradleBuild
    content: bytes
    imports: frozenset[str]

    @property
    def tests(self) -> Path:
        """Where test sources of Java go."""
        return _inside(self.folder, self.build.folder("testSourceDirectory", "src/test/java"))

    @property
    def resources(self) -> Path:
        return _inside(
            self.folder, self.build.folder("testResources/testResource/directory", "src/test/resources")
        )

    def adapters(self) -> list[str]:
        """Return the adapters, by their folders in sdk/java, that this module's class path can compile."""
        found = []
        if self._has_platform():
            found.append("junit")
        for adapter, package in (
            ("testng", "org.testng"),
            ("cucumber", "io.cucumber"),
            ("restassured", "io.restassured"),
            ("selenium", "org.openqa.selenium"),
        ):
            if package in self.imports:
                found.append(adapter)
        return [adapter for adapter in found if (copies.sdk() / "java" / adapter).is_dir()]

    def _has_platform(self) -> bool:
        if "org.junit.jupiter" in self.imports or self._has_cucumber_engine():
            return True
        others = {"org.junit", "junit.framework", "spock.lang", "io.kotest"}
        return bool(others & self.imports) and self.build.mentions(*_PLATFORM)

    def _has_cucumber_engine(self) -> bool:
        """Tell whether Cucumber may run where a suite's own setting of its plugins hides ours: then JUnit's records."""
        return "io.cucumber" in self.imports and self.build.mentions("cucumber-junit-platform-engine")

    def leaves_out(self, name: str) -> bool:
        """Tell whether a file of an adapter's needs something that the module lacks."""
        if name in ("Phases.java", "org.junit.jupiter.api.extension.Extension"):
            return "org.junit.jupiter" not in self.imports
        if name == "CommandListener.java":
            return not self.build.mentions("selenium-java", "selenium-support")
        return False


def _inside(folder: Path, name: str) -> Path:
    path = Path(os.path.normpath(folder / name))
    return path if path.is_relative_to(folder) else folder / "src/test/java"


def add(plan: Plan, files: Survey, only: Collection[str], *, force: bool, driver: bool) -> None:
    """Plan the hooks of the frameworks `only` for every module that uses them."""
    wanted = {_ADAPTERS[name] for name in only if name in _ADAPTERS}
    written: set[str] = set()
    for path in build_files(files):
        with _refused(plan, path):
            module = _module(plan, files, path)
            if module is not None:
                written |= _add_module(plan, module, wanted, force=force, driver=driver)
    for found in plan.found:
        adapter = _ADAPTERS.get(found.framework)
        if adapter in wanted - written and found.is_jvm:
            plan.notes.append(_nothing_of(found.framework, found.name))


@contextmanager
def _refused(plan: Plan, path: Path) -> Iterator[None]:
    try:
        yield
    except (Blocked, Unreadable) as error:
        plan.refuse(plan.root / path, str(error))
    except Unsure as error:
        plan.refuse(
            plan.root / path, f"sets ${{{error}}} in profiles. Have it set outside of them, to one value."
        )
    except block.BrokenMarks:
        plan.refuse(plan.root / path, block.BROKEN)


def _nothing_of(framework: str, name: str) -> str:
    if framework == "junit":
        return (
            "JUnit: no module's tests import it in a way that is recorded. JUnit 4 is, by the Vintage engine:"
            " add org.junit.vintage:junit-vintage-engine in test scope, then run 'crossbridge init' again."
        )
    return f"{name}: nothing that imports it was found beside tests of JUnit 5, TestNG or Cucumber."


def build_files(files: Survey) -> list[Path]:
    """Return the build files of modules; what lies below a `src` is a project's material, not its build."""
    return [path for path in files.named(*_BUILD_FILES) if "src" not in path.parts]


def _module(plan: Plan, files: Survey, path: Path) -> Module | None:
    refusals = len(plan.refusals)
    content = plan.read(plan.root / path)
    if content is None or len(plan.refusals) > refusals:
        return None
    full = plan.root / path
    if path.name == "pom.xml":
        build: MavenBuild | GradleBuild = MavenBuild(full, content)
    else:
        build = GradleBuild(full, content, _around(files, path))
    imports = _imports(files, path.parent, build)
    return Module(full.parent, full, build, content, imports) if imports else None


def _around(files: Survey, path: Path) -> str:
    texts = [
        files.text(folder / name)
        for folder in path.parents
        for name in (*_SCRIPTS, "gradle/libs.versions.toml")
        if folder / name != path
    ]
    return "\n".join(texts)


def _imports(files: Survey, folder: Path, build: MavenBuild | GradleBuild) -> frozenset[str]:
    """Return what the tests import; of the libraries also what the code beside them does: page objects, clients."""
    custom = Path(os.path.normpath(folder / build.folder("testSourceDirectory", "src/test/java")))
    tests = _packages(files, [folder / "src" / "test", custom])
    if not tests:
        return tests
    beside = _packages(files, [folder / "src" / "main"])
    return tests | (beside & {"io.restassured", "org.openqa.selenium"})


def _packages(files: Survey, tops: list[Path]) -> frozenset[str]:
    found: set[str] = set()
    for path in _sources(files, tops):
        found.update(_IMPORT.findall(files.text(path)))
    return frozenset(found)


def _sources(files: Survey, tops: list[Path]) -> Iterator[Path]:
    left = _MOST_SOURCES
    for folder, names in files.folders.items():
        if (
            not any(folder.is_relative_to(top) for top in tops)
            or "crossbridge/profiling" in folder.as_posix()
        ):
            continue
        for name in names:
            if name.endswith(_SOURCES) and left:
                left -= 1
                yield folder / name


def _add_module(plan: Plan, module: Module, wanted: set[str], *, force: bool, driver: bool) -> set[str]:
    """Plan one module; the adapters it gets."""
    runners = {adapter for adapter in module.adapters() if adapter in _RUNNERS}
    adapters = [
        one for one in module.adapters() if one in wanted or (wanted - {*_RUNNERS} and one in runners)
    ]
    if not runners or not wanted.intersection(adapters):
        return set()
    if any(
        (module.folder / "src" / kind / "java" / "module-info.java").exists() for kind in ("main", "test")
    ):
        plan.notes.append(
            f"{plan.name(module.path)}: a module of Java's own system (module-info.java) cannot take our sources."
            " Put crossbridge-agent.jar on the tests' class path there."
        )
        return set()
    if module.build.java_level() < OLDEST_JAVA:
        raise Blocked(
            f"compiles tests for Java {module.build.java_level()}, and our sources need {OLDEST_JAVA}."
            f" Have the tests alone compiled for it: {_release(module)}"
        )
    if {"junit", "cucumber"} <= {*adapters} and "org.junit.jupiter" not in module.imports:
        adapters = _without_second_listener(module, adapters)
    _add_sources(plan, module, adapters, force=force)
    _add_registration(plan, module, adapters)
    _add_dependencies(plan, module, launcher="junit" in adapters, driver=driver, force=force)
    return set(adapters)


def _without_second_listener(module: Module, adapters: list[str]) -> list[str]:
    """Leave JUnit's listener out where it cannot be compiled: Cucumber's own plugin does without."""
    try:
        module.build.with_dependencies(launcher=True, driver=False)
    except Blocked:
        return [adapter for adapter in adapters if adapter != "junit"]
    return adapters


def _release(module: Module) -> str:
    if module.path.name == "pom.xml":
        return f"<maven.compiler.testRelease>{OLDEST_JAVA}</maven.compiler.testRelease>"
    return f"tasks.compileTestJava.options.release = {OLDEST_JAVA}"


def _add_sources(plan: Plan, module: Module, adapters: list[str], *, force: bool) -> None:
    sources = [
        source
        for adapter in ("core", *adapters)
        for source in copies.walk(copies.sdk() / "java" / adapter / "src/main/java/crossbridge")
        if not module.leaves_out(source[0].name)
    ]
    into = copies.Destination(module.tests / "crossbridge", module.folder, _SOURCE)
    copies.add(plan, sources, into, force=force)


def _add_registration(plan: Plan, module: Module, adapters: list[str]) -> None:
    for name, lines in _services(module, adapters).items():
        folder = module.resources / "META-INF" / "services"
        text_hook.add(plan, folder / name, lines, _SERVICES, shown_as=folder)
    if "cucumber" in adapters:
        names = [_PROPERTIES[0]]
        if module.build.mentions("cucumber-junit-platform-engine"):
            names.append(_PROPERTIES[1])
        for name in names:
            properties.add(plan, module.resources / name, "cucumber.plugin", _PLUGIN, "adds our plugin")


def _services(module: Module, adapters: list[str]) -> dict[str, list[str]]:
    """Return the lines of every service file; several adapters may bring the same one."""
    found: dict[str, list[str]] = {}
    for adapter in adapters:
        for path in _service_sources(adapter):
            if not module.leaves_out(path.name):
                found.setdefault(path.name, []).extend(path.read_text(encoding="ascii").split())
    return found


def _service_sources(adapter: str) -> list[copies.Source]:
    folder = copies.sdk() / "java" / adapter / "src/main/resources/META-INF/services"
    return [path for path, _ in copies.walk(folder)] if folder.is_dir() else []


def _add_dependencies(plan: Plan, module: Module, *, launcher: bool, driver: bool, force: bool) -> None:
    after = module.build.with_dependencies(launcher=launcher, driver=driver)
    if after != module.content and not force and has_uncommitted_changes(module.path):
        plan.refuse(module.path, COMMIT)
        return
    plan.change(module.path, module.content, after, _BUILD)
    if DRIVER.rpartition(":")[0].encode() not in after and b"<artifactId>postgresql<" not in after:
        note = (
            "JDBC driver: not on the class path of the tests. Results stay in the spool for 'crossbridge ingest';"
            " with --with-postgres they are delivered while tests run."
        )
        if note not in plan.notes:
            plan.notes.append(note)


def take_out(plan: Plan, files: Survey, *, force: bool) -> None:
    """Plan to take out all that `add` ever wrote: but for the copies, which `copies.take_out` finds."""
    for path in files.named(*_BUILD_FILES):
        before = plan.read(plan.root / path)
        marks = block.XML if path.name == "pom.xml" else block.SLASHES
        if before is None or not any(mark in before for mark in (marks.added, marks.end)):
            continue
        kind = MavenBuild if path.name == "pom.xml" else GradleBuild
        with _refused(plan, path):
            after = kind(plan.root / path, before).without_dependencies(force=force)
            plan.change(plan.root / path, before, after, _BUILD)
    for path in _service_files(files):
        full = plan.root / path
        text_hook.take_out(plan, full, _all_services(), _SERVICES, within=plan.root, shown_as=full.parent)
    for path in files.named(*_PROPERTIES):
        properties.take_out(plan, plan.root / path, "cucumber.plugin", _PLUGIN, "adds our plugin")


def _service_files(files: Survey) -> list[Path]:
    return [
        folder / name
        for folder, names in files.folders.items()
        if folder.parts[-2:] == ("META-INF", "services")
        for name in names
    ]


def _all_services() -> frozenset[str]:
    services = [path for adapter in _ADAPTERS.values() for path in _service_sources(adapter)]
    return frozenset(line for path in services for line in path.read_text(encoding="ascii").split())
