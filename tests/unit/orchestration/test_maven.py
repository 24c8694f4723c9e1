"""pom.xml as people write it: what Maven makes of it, our block of dependencies in it, and out to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbridge.orchestration.build import DRIVER, LAUNCHER, Blocked
from crossbridge.orchestration.maven import MavenBuild
from crossbridge.orchestration.pom import Pom, Unreadable, Unsure, parse
from support.projects import make

HEAD = (
    "",
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- größe <dependencies> -->\n',
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!-- größe -->\n',
)
OPEN = ("<project>", '<project xmlns="http://maven.apache.org/POM/4.0.0"\n    a="b">')
JUPITER = (
    "{1}<dependency>\n{2}<groupId>org.junit.jupiter</groupId>\n{2}<artifactId>junit-jupiter</artifactId>\n"
    "{2}<version>5.10.2</version>\n{1}</dependency>\n"
)
BODIES = (
    "{0}<dependencies>\n" + JUPITER + "{0}</dependencies>\n",
    "{0}<name>a &amp; b</name>\n{0}<![CDATA[</dependencies>]]>\n{0}<dependencies>\n\n"
    + JUPITER
    + "\n{0}</dependencies>\n",
    "{0}<dependencyManagement>\n{1}<dependencies>\n{1}</dependencies>\n{0}</dependencyManagement>\n"
    "{0}<dependencies>\n" + JUPITER + "{0}</dependencies>\n{0}<build>\n{0}</build>\n",
    (
        "{0}<dependencyManagement><dependencies><dependency><groupId>org.junit</groupId><artifactId>junit-bom</artifactId>"
        "<version>5.10.2</version><type>pom</type><scope>import</scope></dependency></dependencies></dependencyManagement>\n"
    ),
)

BOM = "<type>pom</type><scope>import</scope>"
SPRING_BOOT_3 = "<parent><artifactId>spring-boot-starter-parent</artifactId><version>3.2.0</version></parent>"

poms = st.builds(
    lambda head, opening, body, indent, newline, bom, end: _encoded(
        head + opening + "\n" + body.format(indent, indent * 2, indent * 3) + "</project>" + end, newline, bom
    ),
    st.sampled_from(HEAD),
    st.sampled_from(OPEN),
    st.sampled_from(BODIES),
    st.sampled_from(("  ", "    ", "\t", "")),
    st.sampled_from(("\n", "\r\n")),
    st.booleans(),
    st.sampled_from(("", "\n", "\n\n<!-- end -->\n")),
)


def _encoded(text, newline, bom):
    if "ISO-8859-1" in text:
        return text.replace("\n", newline).encode("latin-1")
    return (b"\xef\xbb\xbf" if bom else b"") + text.replace("\n", newline).encode()


def build(content, path=Path("pom.xml")):
    return MavenBuild(path, content if isinstance(content, bytes) else content.encode())


def pom(body):
    return f"<project>\n{body}\n</project>\n"


def dependency(name, version="", more=""):
    group, artifact = name.split(":")
    tag = f"<version>{version}</version>" if version else ""
    return (
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>{tag}{more}</dependency>"
    )


def line_ends(content):
    return {
        line[-2:] if line.endswith(b"\r\n") else line[-1:] for line in content.splitlines(keepends=True)[:-1]
    }


def versions(content):
    """The artifacts in test scope that a pom names, as a parser sees them."""
    return {
        one.name: one.version for one in Pom(Path("pom.xml"), content).dependencies() if one.scope == "test"
    }


@pytest.fixture(autouse=True)
def _empty_local_repository(tmp_path, monkeypatch):
    """What Maven has fetched on this machine is no part of these tests."""
    monkeypatch.setenv("HOME", str(tmp_path))


@given(poms, st.booleans())
def test_what_is_added_is_read_by_a_parser_and_removed_to_the_byte(content, driver):
    added = build(content).with_dependencies(launcher=True, driver=driver)
    launcher = "" if b"junit-bom" in content else "1.10.2"
    expected = {LAUNCHER: launcher} | (
        {"org.postgresql:postgresql": DRIVER.rpartition(":")[2]} if driver else {}
    )
    assert versions(added) == expected
    assert line_ends(added) == line_ends(content)
    again = build(added)
    assert again.with_dependencies(launcher=True, driver=driver) == added
    assert again.without_dependencies(force=False) == content


@given(poms)
def test_the_driver_can_come_later_and_stays(content):
    first = build(content).with_dependencies(launcher=True, driver=False)
    second = build(first).with_dependencies(launcher=True, driver=True)
    assert second == build(content).with_dependencies(launcher=True, driver=True)
    assert build(second).with_dependencies(launcher=True, driver=False) == second


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (dependency("org.junit.jupiter:junit-jupiter-api", "5.9.0-M1"), "1.9.0-M1"),
        (dependency("org.junit.jupiter:junit-jupiter", "6.0.1"), "6.0.1"),
        (dependency("org.junit.vintage:junit-vintage-engine", "5.14.1"), "1.14.1"),
        (dependency("org.junit.platform:junit-platform-suite", "1.12.0"), "1.12.0"),
    ],
)
def test_the_launcher_has_the_version_that_belongs_to_jupiter(body, version):
    content = build(pom(f"<dependencies>\n{body}\n</dependencies>")).with_dependencies(
        launcher=True, driver=False
    )
    assert versions(content)[LAUNCHER] == version


def test_a_version_in_properties_of_a_parent_is_found(tmp_path):
    parent = pom("<artifactId>above</artifactId><properties><j>5.${k}</j><k>11.0</k></properties>")
    make(tmp_path, {"pom.xml": parent, "a/pom.xml": ""})
    own = (
        "<parent><artifactId>above</artifactId></parent><dependencies>\n"
        f"{dependency('org.junit.jupiter:junit-jupiter', '${j}')}\n</dependencies>"
    )
    content = build(pom(own), tmp_path / "a/pom.xml").with_dependencies(launcher=True, driver=False)
    assert versions(content)[LAUNCHER] == "1.11.0"


def test_a_parent_and_a_bom_of_the_local_repository_are_read(tmp_path):
    managed = pom(
        "<dependencyManagement><dependencies>"
        + dependency("org.junit.platform:junit-platform-launcher", "1.8.1")
        + "</dependencies></dependencyManagement>"
    )
    imported = dependency("com.corp:bom", "3", BOM)
    parent = pom(
        "<properties><maven.compiler.release>17</maven.compiler.release></properties>"
        f"<dependencyManagement><dependencies>{imported}</dependencies></dependencyManagement>"
    )
    repository = ".m2/repository/com/corp"
    make(tmp_path, {f"{repository}/parent/2/parent-2.pom": parent, f"{repository}/bom/3/bom-3.pom": managed})
    own = pom(
        "<parent><groupId>com.corp</groupId><artifactId>parent</artifactId><version>2</version></parent>"
        "<dependencies>\n</dependencies>"
    )
    module = build(own, tmp_path / "work/pom.xml")
    assert module.java_level() == 17
    assert versions(module.with_dependencies(launcher=True, driver=False)) == {LAUNCHER: ""}


@pytest.mark.parametrize(
    "body",
    [
        SPRING_BOOT_3 + "<dependencies>\n</dependencies>",
        "<dependencyManagement><dependencies>"
        + dependency("org.springframework.boot:spring-boot-dependencies", "3.2.0", BOM)
        + "</dependencies></dependencyManagement><dependencies>\n</dependencies>",
    ],
)
def test_versions_that_a_bom_has_are_left_to_it(body):
    content = build(pom(body)).with_dependencies(launcher=True, driver=True)
    assert versions(content) == {LAUNCHER: "", DRIVER.rpartition(":")[0]: ""}


@pytest.mark.parametrize(
    "body",
    [
        dependency("com.corp:tests", "1"),
        dependency("org.junit.jupiter:junit-jupiter"),
        dependency("org.junit.jupiter:junit-jupiter", "[5,6)"),
        dependency("org.junit.jupiter:junit-jupiter", "${unknown}"),
    ],
)
def test_a_version_that_is_not_to_be_seen_is_asked_for(body):
    with pytest.raises(Blocked, match=r"which version of JUnit.*by hand"):
        build(pom(f"<dependencies>\n{body}\n</dependencies>")).with_dependencies(launcher=True, driver=False)


def test_a_version_that_profiles_set_is_not_guessed():
    body = f"""<dependencies>
    {dependency("org.junit.jupiter:junit-jupiter", "${j}")}
    </dependencies>
    <profiles><profile><properties><j>5.1.0</j></properties></profile></profiles>"""
    with pytest.raises(Unsure, match="j"):
        build(pom(body)).with_dependencies(launcher=True, driver=False)


@pytest.mark.parametrize(
    "content",
    [pom("<dependencies></dependencies>"), pom("<dependencies/>"), "<project><a/></project>"],
)
def test_where_no_line_can_be_written_that_is_said(content):
    with pytest.raises(Blocked, match="Put it on a line of its own"):
        build(content).with_dependencies(launcher=False, driver=True)


def test_what_is_there_already_is_not_added():
    there = dependency(LAUNCHER, "1.0.0", "<scope>test</scope>") + dependency(
        "org.postgresql:postgresql", "42.7.0"
    )
    content = pom(f"<dependencies>\n{there}\n</dependencies>").encode()
    assert build(content).with_dependencies(launcher=True, driver=True) == content


def test_a_newer_version_in_our_block_stays_and_goes_with_it():
    content = pom("<dependencies>\n</dependencies>").encode()
    added = build(content).with_dependencies(launcher=False, driver=True)
    bumped = added.replace(DRIVER.rpartition(":")[2].encode(), b"99.9")
    assert bumped != added
    assert build(bumped).with_dependencies(launcher=False, driver=True) == bumped
    assert build(bumped).without_dependencies(force=False) == content


def test_a_dependency_of_theirs_in_our_block_is_not_lost():
    added = build(pom("<dependencies>\n</dependencies>")).with_dependencies(launcher=False, driver=True)
    edited = added.replace(b"<artifactId>postgresql<", b"<artifactId>theirs<")
    with pytest.raises(Blocked, match="was edited"):
        build(edited).without_dependencies(force=False)
    assert b"theirs" not in build(edited).without_dependencies(force=True)


COMPILER = "<build><plugins><plugin><artifactId>maven-compiler-plugin</artifactId><configuration>{}</configuration></plugin></plugins></build>"


@pytest.mark.parametrize(
    ("body", "level"),
    [
        ("", 8),
        (SPRING_BOOT_3 + "<properties><maven.compiler.source>1.8</maven.compiler.source></properties>", 8),
        ("<properties><maven.compiler.release>21</maven.compiler.release></properties>", 21),
        (
            (
                "<properties><maven.compiler.release>8</maven.compiler.release>"
                "<maven.compiler.testRelease>11</maven.compiler.testRelease></properties>"
            ),
            11,
        ),
        (COMPILER.format("<release>${java}</release>") + "<properties><java>17</java></properties>", 17),
        (
            (
                "<parent><artifactId>spring-boot-starter-parent</artifactId><version>2.7.0</version></parent>"
                "<properties><java.version>11</java.version></properties>"
            ),
            11,
        ),
        (SPRING_BOOT_3, 17),
    ],
)
def test_the_java_that_tests_are_compiled_for(body, level, tmp_path):
    assert build(pom(body), tmp_path / "pom.xml").java_level() == level


def test_a_parent_that_is_nowhere_leaves_the_java_open(tmp_path):
    own = pom("<parent><groupId>a</groupId><artifactId>b</artifactId><version>1</version></parent>")
    with pytest.raises(Blocked, match="mvn -q validate"):
        build(own, tmp_path / "pom.xml").java_level()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot be parsed"),
        (b"<project><a></project>", "cannot be parsed"),
        (b"<settings></settings>", "is no Maven project"),
        ("<project></project>".encode("utf-16"), "is no Maven project"),
        (b'<!DOCTYPE p [<!ENTITY a "b">]><project>&a;</project>', "has a document type"),
    ],
)
def test_what_is_no_pom_is_refused(content, reason):
    with pytest.raises(Unreadable, match=reason):
        parse(content)
