"""Where output goes: data to stdout, talk to stderr, and no traceback when neither can be written."""

from __future__ import annotations

import os
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


def test_a_reader_that_has_left_is_no_news(tmp_path):
    script = f"{sys.executable} -m crossbridge grafana provision --out {tmp_path} | true"
    assert "Broken" not in run(script, shell=True, capture_output=True).stderr
