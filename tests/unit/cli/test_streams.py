"""Where output goes: data to stdout, talk to stderr, and no traceback when neither can be written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import COMMAND

BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def run(command, **streams):
    return subprocess.run(command, text=True, timeout=60, check=False, env=BUFFERED, **streams)


def test_talk_comes_after_the_data_it_is_about(tmp_path):
    command = [*COMMAND, "grafana", "provision", "--out", tmp_path]
    answer = run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert answer.stdout.splitlines()[-1].startswith("Next: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_is_told_in_one_line(tmp_path, options):
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "grafana", "provision", "--out", tmp_path, *options]
        answer = run(command, stdout=full, stderr=subprocess.PIPE)
    assert answer.returncode == 1
    assert answer.stderr == "crossbridge: cannot write the output: No space left on device.\n"


def test_a_working_folder_that_is_gone_is_told_in_one_line(tmp_path):
    script = f"cd {tmp_path} && rmdir {tmp_path} && {sys.executable} -m crossbridge init"
    answer = run(script, shell=True, capture_output=True)
    assert answer.stderr == "crossbridge: cannot find the working folder: No such file or directory.\n"


def console_script():
    """What pip makes of the script that pyproject.toml names; the installed one may be older."""
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    module, function = re.search(
        r'^\[project\.scripts]\ncrossbridge = "(.+):(.+)"$', project, re.MULTILINE
    ).groups()
    return sys.executable, "-c", f"import sys; from {module} import {function}; sys.exit({function}())"


@pytest.mark.parametrize("command", [COMMAND, console_script()], ids=["module", "script"])
@pytest.mark.parametrize("imported", ["typer", "msgspec"])
def test_ctrl_c_while_it_is_imported_ends_it_without_a_word(tmp_path, command, imported):
    (tmp_path / f"{imported}.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    answer = run([*command, "runs"], cwd=tmp_path, capture_output=True)
    assert (answer.returncode, answer.stdout, answer.stderr) == (130, "", "")


def test_a_reader_that_has_left_is_no_news(tmp_path):
    script = f"{sys.executable} -m crossbridge grafana provision --out {tmp_path} | true"
    assert "Broken" not in run(script, shell=True, capture_output=True).stderr
