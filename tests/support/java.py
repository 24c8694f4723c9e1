"""The Java SDK's core, built by Maven once a machine, and a JVM to run its classes in."""

from __future__ import annotations

import base64
import fcntl
import os
import subprocess
from pathlib import Path

from support.needs import need

JAVA_SDK = Path(__file__).parents[2] / "sdk" / "java"


def java_command(main: str) -> list[str]:
    """The command that starts a class of the core's tests; skips where there is no Maven, and fails so in CI."""
    need("mvn", "java", packages="maven openjdk-17-jdk-headless")
    target = JAVA_SDK / "core" / "target"
    target.mkdir(exist_ok=True)
    with (target / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = [*JAVA_SDK.glob("core/src/**/*.java"), *JAVA_SDK.glob("core/pom.xml"), JAVA_SDK / "pom.xml"]
        mark = target / "built"
        if not mark.exists() or mark.stat().st_mtime < max(path.stat().st_mtime for path in sources):
            done = subprocess.run(
                ["mvn", "-q", "-B", "-pl", "core", "test"],
                cwd=JAVA_SDK, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            mark.touch()
    path = os.pathsep.join(map(str, (target / "classes", target / "test-classes", f"{target}/test-lib/*")))
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", path, main]


def answers(lines: list[tuple[str, ...]]) -> list[str]:
    """What the SDK makes of cases, each a word and its texts; one JVM answers them all."""
    asked = "".join("\t".join([word, *map(_encoded, texts)]) + "\n" for word, *texts in lines)
    done = subprocess.run(
        java_command("crossbridge.profiling.SpecCases"),
        input=asked, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [base64.b64decode(line).decode("utf-16-be") for line in done.stdout.split("\n")[:-1]]


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-be", "surrogatepass")).decode()
