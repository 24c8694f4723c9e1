"""Gradle's scripts as people write them: our block behind them, and out to the byte. No Gradle reads them here."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbridge.orchestration.build import DRIVER, LAUNCHER, Blocked
from crossbridge.orchestration.gradle import GradleBuild

JUPITER = "testImplementation('org.junit.jupiter:junit-jupiter:5.10.2')"
scripts = st.builds(
    lambda lines, newline, end: (
        newline.join([*lines, f"dependencies {{ {JUPITER} }}"]).encode() + end.encode()
    ),
    st.lists(
        st.sampled_from(["plugins { id 'java' }", "", "// größe", "test { useJUnitPlatform() }"]), max_size=3
    ),
    st.sampled_from(("\n", "\r\n")),
    st.sampled_from(("", "\n", "\n\n", "\n\t")),
)


def build(content, name="build.gradle", around=""):
    return GradleBuild(Path(name), content if isinstance(content, bytes) else content.encode(), around)


@given(scripts, st.booleans())
def test_what_is_added_is_removed_to_the_byte(content, driver):
    added = build(content).with_dependencies(launcher=True, driver=driver)
    assert added.startswith(content)
    assert f"testImplementation('{LAUNCHER}')".encode() in added
    assert (f"testRuntimeOnly('{DRIVER}')".encode() in added) == driver
    assert build(added).with_dependencies(launcher=True, driver=False) == added
    assert build(added).without_dependencies(force=False) == content


def test_in_kotlin_configurations_are_named_by_strings():
    added = build(
        'dependencies { testImplementation("org.junit.jupiter:junit-jupiter:5.10.2") }\n', "build.gradle.kts"
    )
    lines = added.with_dependencies(launcher=True, driver=True).decode().splitlines()
    assert f'    "testImplementation"("{LAUNCHER}")' in lines
    assert f'    "testRuntimeOnly"("{DRIVER}")' in lines


def test_a_launcher_for_the_run_alone_is_not_enough_to_compile():
    content = f"dependencies {{ {JUPITER}\ntestRuntimeOnly('{LAUNCHER}') }}\n"
    assert f"testImplementation('{LAUNCHER}')".encode() in build(content).with_dependencies(
        launcher=True, driver=False
    )
    content = content.replace("testRuntimeOnly", "testImplementation")
    assert build(content).with_dependencies(launcher=True, driver=False) == content.encode()


def test_with_vintage_alone_the_version_is_written():
    content = build("testRuntimeOnly 'org.junit.vintage:junit-vintage-engine:5.9.3'\n")
    assert f"'{LAUNCHER}:1.9.3'".encode() in content.with_dependencies(launcher=True, driver=False)


def test_a_version_that_is_not_to_be_seen_is_asked_for():
    with pytest.raises(Blocked, match=r"which version of JUnit"):
        build("test { useJUnitPlatform() }\n").with_dependencies(launcher=True, driver=False)


def test_lines_of_theirs_in_our_block_are_not_lost():
    added = build(f"{JUPITER}\n").with_dependencies(launcher=True, driver=False)
    edited = added.replace(b"dependencies {\n", b"dependencies {\n    testImplementation('a:b:1')\n")
    with pytest.raises(Blocked, match="was edited"):
        build(edited).without_dependencies(force=False)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("", 17),
        ("sourceCompatibility = '1.8'", 8),
        ("sourceCompatibility = JavaVersion.VERSION_1_8", 8),
        ("java { sourceCompatibility = JavaVersion.VERSION_21 }", 21),
        ("java { toolchain { languageVersion.set(JavaLanguageVersion.of(11)) } }", 11),
        ("tasks.withType<JavaCompile> { options.release.set(8) }", 8),
        ("kotlin { jvmToolchain(8) }", 8),
    ],
)
def test_the_java_that_tests_are_compiled_for(text, level):
    assert build(text).java_level() == level
    assert build("", around=text).java_level() == level
