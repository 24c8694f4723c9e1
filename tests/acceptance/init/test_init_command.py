"""The command itself: what it says, what it writes, what it leaves alone, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from crossbridge.orchestration import block
from support.projects import BEHAVE, PYTEST, ROBOT, make, tree
from support.pytest_runs import REPO

ALL = PYTEST | ROBOT | BEHAVE
ENVIRONMENT = "features/environment.py"


@pytest.fixture
def project(tmp_path):
    return make(tmp_path / "project", ALL)


def test_it_writes_what_it_says_and_says_it_once(project, init):
    ended = init(project)
    assert ended.returncode == 0
    said = [line.split()[:2] for line in ended.stdout.splitlines() if line.startswith("  create")]
    assert said == [
        ["create", "tests/conftest.py"],
        ["create", "crossbridge_listener.py"],
        ["create", "suites/__init__.robot"],
        ["create", "features/environment.py"],
        ["create", ".env.example"],
        ["create", ".env"],
        ["create", ".gitignore"],
    ]
    assert all((project / name).is_file() for _, name in said)
    after = tree(project)
    again = init(project)
    assert again.returncode == 0
    assert "Nothing to do." in again.stdout
    assert tree(project) == after
    assert b"PASSWORD=\n" in (project / ".env.example").read_bytes()
    assert (project / ".env").stat().st_mode & 0o077 == 0


def test_dry_run_writes_nothing_and_its_diff_is_what_init_does(project, init, tmp_path):
    make(project, {ENVIRONMENT: "def before_all(context):\n    pass", ".gitignore": "*.pyc\n"})
    before = tree(project)
    ended = init(project, "--dry-run")
    assert ended.returncode == 0
    assert tree(project) == before
    diff = ended.stdout[ended.stdout.index("--- ") :]
    copy = make(
        tmp_path / "copy", {name: content for name, (_, content) in before.items() if content is not None}
    )
    subprocess.run(["git", "apply", "-p1", "-"], cwd=copy, input=diff, text=True, check=True)
    assert init(project).returncode == 0
    contents = [{name: content for name, (_, content) in tree(root).items()} for root in (project, copy)]
    assert contents[0] == contents[1]


def test_json_tells_all_of_it(project, init):
    document = json.loads(init(project, "--json", "--dry-run").stdout)
    assert [one["framework"] for one in document["frameworks"]] == ["pytest", "robot", "behave"]
    assert document["written"] is False
    assert document["refusals"] == []
    assert document["changes"][0]["path"] == "tests/conftest.py"
    assert document["changes"][0]["diff"][:2] == ["--- /dev/null", "+++ b/tests/conftest.py"]
    document = json.loads(init(project, "--json").stdout)
    assert document["written"] is True
    assert json.loads(init(project, "--json").stdout)["changes"] == []


def test_only_the_frameworks_asked_for_are_written(project, init):
    assert init(project, "--framework", "pytest", "--framework", "behave").returncode == 0
    assert (project / "tests/conftest.py").exists()
    assert (project / ENVIRONMENT).exists()
    assert not (project / "crossbridge_listener.py").exists()


def test_a_framework_without_a_hook_is_named_as_such(project, init):
    make(project, {"a.csproj": "NUnit", "package.json": '{"devDependencies": {"@cucumber/cucumber": "1"}}'})
    ended = init(project)
    assert ended.returncode == 0
    lines = [line.split(maxsplit=2) for line in ended.stdout.splitlines()]
    assert ["NUnit", "a.csproj", "its hook is not in this release"] in lines
    formatter = "--format @crossbridge/profiling/cucumber:/dev/null"
    assert ["Cucumber", "package.json", f"recorded by {formatter}"] in lines
    assert formatter in (REPO / "docs/profiling/FRAMEWORK_INTEGRATION.md").read_text()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--framework", "nosetests"), "--framework must be one of pytest, robot,"),
        (("--remove", "--framework", "pytest"), "--remove takes out all that init has written"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(project, init, args, message):
    before = tree(project)
    ended = init(project, *args)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert tree(project) == before


def test_a_folder_that_is_none_is_wrong_use(tmp_path, init):
    ended = init(tmp_path / "nowhere")
    assert ended.returncode == 2
    assert "is no folder" in ended.stderr


THEIRS = "import pytest\n\n\n@pytest.fixture\ndef crossbridge_profiling():\n    return 1\n"


@pytest.mark.parametrize(
    ("files", "args", "message"),
    [
        ({"tests/conftest.py": THEIRS}, (), "tests/conftest.py line 5 gives the name crossbridge_profiling"),
        ({"tests/conftest.py": "pytest = None\n"}, (), "tests/conftest.py line 1 gives the name pytest"),
        ({ENVIRONMENT: "if True:\n    def install_crossbridge(): pass\n"}, (), "line 2 gives the name install_crossbridge"),
        ({ENVIRONMENT: "def before_all(context:\n"}, (), "features/environment.py cannot be parsed as Python (line 1"),
        ({ENVIRONMENT: b"# -*- coding: nonsense -*-\n"}, (), "features/environment.py cannot be parsed"),
        ({"crossbridge_listener.py": "class crossbridge_listener: pass\n"}, (), "crossbridge_listener.py line 1 gives"),
        ({"tests/conftest.py": block.HASH.added + b"\n"}, (), "has lost or doubled one of the marks"),
        ({"suites/__init__.robot": block.HASH.end + b"\n"}, (), "has lost or doubled one of the marks"),
        ({"a.csproj": "nunit"}, ("--framework", "nunit"), "NUnit (a.csproj): its hook is not in this release"),
        ({"pom.xml": "org.testng"}, ("--framework", "testng"), "pom.xml cannot be parsed as XML"),
        ({}, ("--framework", "cypress"), "Cypress was not found in"),
        ({".gitignore/a": ""}, (), ".gitignore is not a file"),
    ],
)  # fmt: skip
def test_a_conflict_is_told_and_nothing_is_changed(project, init, files, args, message):
    make(project, files)
    before = tree(project)
    ended = init(project, *args, "--json")
    assert ended.returncode == 1
    assert message in ended.stderr
    assert message in json.loads(ended.stdout)["refusals"][0]
    assert "Traceback" not in ended.stderr
    assert tree(project) == before


def test_a_project_without_tests_is_told(tmp_path, init):
    ended = init(tmp_path)
    assert ended.returncode == 1
    assert "no test framework was found in" in ended.stderr
    assert tree(tmp_path) == {}


def test_a_hook_written_by_hand_is_left_alone(project, init):
    by_hand = {
        "tests/conftest.py": "from core.profiling.collector import MetricsCollector\n" + THEIRS,
        ENVIRONMENT: "from crossbridge.integrations.behave import install\n\ninstall()\n",
    }
    make(project, by_hand)
    assert init(project).returncode == 0
    assert {name: (project / name).read_text() for name in by_hand} == by_hand


def test_links_out_of_the_project_are_refused_and_those_inside_stay_links(project, init, tmp_path):
    make(tmp_path, {"elsewhere.py": "A = 1\n"})
    (project / ENVIRONMENT).symlink_to(tmp_path / "elsewhere.py")
    ended = init(project)
    assert ended.returncode == 1
    assert "features/environment.py is a link to" in ended.stderr
    assert (tmp_path / "elsewhere.py").read_text() == "A = 1\n"
    (project / ENVIRONMENT).unlink()
    make(project, {"shared/hooks.py": "A = 1\n"})
    (project / ENVIRONMENT).symlink_to("../shared/hooks.py")
    before = tree(project)
    assert init(project).returncode == 0
    assert (project / ENVIRONMENT).is_symlink()
    assert b"install_crossbridge" in (project / "shared/hooks.py").read_bytes()
    assert init(project, "--remove").returncode == 0
    assert tree(project) == before


def test_a_read_only_file_is_refused(project, init):
    make(project, {ENVIRONMENT: "A = 1\n"})
    (project / ENVIRONMENT).chmod(0o444)
    before = tree(project)
    ended = init(project)
    assert ended.returncode == 1
    assert "features/environment.py is read-only. Make it writable: chmod u+w" in ended.stderr
    assert tree(project) == before


def test_a_file_with_uncommitted_changes_is_refused_until_they_are_committed(project, init, git):
    make(project, {ENVIRONMENT: "A = 1\n", "suites/__init__.robot": "*** Settings ***\n"})
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    for name in (ENVIRONMENT, "suites/__init__.robot"):
        with (project / name).open("a") as file:
            file.write("# more\n")
    before = tree(project)
    ended = init(project)
    assert ended.returncode == 1
    for name in (ENVIRONMENT, "suites/__init__.robot"):
        assert f"{name} has changes that are not committed. Commit them, or" in ended.stderr
    assert tree(project) == before
    assert init(project, "--force").returncode == 0
    assert init(project, "--remove").returncode == 0
    assert tree(project) == before
    git(project, "commit", "-a", "-m", "second")
    assert init(project).returncode == 0
    # Our own lines are not committed now, and are in nobody's way.
    assert init(project).returncode == 0
    assert init(project, "--remove").returncode == 0
    assert tree(project) == before


def test_settings_that_are_there_stay_as_they_are(project, init):
    theirs = {
        ".env": "CROSSBRIDGE_DB_HOST=db\n",
        ".env.example": "A=\n",
        ".gitignore": "/.env\n.crossbridge\n",
    }
    make(project, theirs)
    ended = init(project)
    assert ended.returncode == 0
    assert {name: (project / name).read_text() for name in theirs} == theirs
    assert (
        ".env is yours and stays as it is. Switch profiling on in it: CROSSBRIDGE_PROFILING=true"
        in ended.stderr
    )


def test_remove_takes_only_what_init_wrote(project, init):
    make(project, {ENVIRONMENT: "A = 1", ".gitignore": "*.pyc"})
    assert init(project).returncode == 0
    for name in ("tests/conftest.py", ENVIRONMENT, ".env", ".gitignore", "suites/__init__.robot"):
        path = project / name
        path.write_bytes(b"# above\n" + path.read_bytes() + b"\n# below\n")
    dotenv = project / ".env"
    dotenv.write_text(dotenv.read_text().replace("=true\n", "=true\nCROSSBRIDGE_DB_HOST=db\n"))
    assert init(project, "--remove").returncode == 0
    assert (project / ENVIRONMENT).read_text() == "# above\nA = 1\n# below\n"
    assert (project / ".gitignore").read_text() == "# above\n*.pyc\n# below\n"
    assert dotenv.read_text() == "# above\nCROSSBRIDGE_DB_HOST=db\n\n# below\n"
    assert (project / "tests/conftest.py").read_text() == "# above\n\n# below\n"
    assert not (project / "crossbridge_listener.py").exists()
    assert not (project / ".env.example").exists()
    assert "Nothing to take out." in init(project, "--remove").stdout


def test_remove_keeps_an_import_that_the_users_own_lines_have_come_to_use(project, init):
    assert init(project).returncode == 0
    conftest = project / "tests/conftest.py"
    own = "\n\n@pytest.fixture\ndef cart():\n    return []\n"
    conftest.write_text(conftest.read_text() + own)
    ended = init(project, "--remove")
    assert conftest.read_text() == "import pytest\n" + own
    assert "tests/conftest.py keeps 'import pytest': your own lines use it by now." in ended.stderr


@pytest.mark.parametrize(
    ("theirs", "count"),
    [("import os, pytest\n", 0), ("import pytest as pt\n", 1), ("if True:\n    import pytest\n", 1), ("", 1)],
)
def test_pytest_is_imported_unless_the_file_does_so_already(project, init, theirs, count):
    make(project, {"tests/conftest.py": theirs})
    assert init(project).returncode == 0
    merged = (project / "tests/conftest.py").read_text()
    assert merged.removeprefix(theirs).splitlines().count("import pytest") == count
    # An import of theirs that goes is made up for.
    (project / "tests/conftest.py").write_text(merged.removeprefix(theirs))
    assert init(project).returncode == 0
    assert "import pytest" in (project / "tests/conftest.py").read_text().splitlines()


def test_file_names_that_are_no_text_are_shown_as_escapes(tmp_path, init):
    folder = tmp_path / os.fsdecode(b"d\xff")
    make(folder, PYTEST)
    for args in ((), ("--json",), ("--dry-run",), ("--remove",)):
        ended = init(tmp_path, *args)
        assert ended.returncode == 0, ended.stderr
        assert "udcff" in ended.stdout or "Nothing" in ended.stdout


def test_lines_that_were_edited_go_with_force_only(project, init):
    assert init(project).returncode == 0
    conftest = project / "tests/conftest.py"
    reformatted = conftest.read_text().replace(
        'scope="session", autouse=True', "scope='session',\n    autouse=True"
    )
    conftest.write_text(reformatted)
    assert "Nothing to do." in init(project).stdout
    conftest.write_text(conftest.read_text().replace("yield collector", "yield collector.config"))
    ended = init(project, "--remove")
    assert ended.returncode == 1
    assert "tests/conftest.py line 1 and on: what 'crossbridge init' wrote was edited" in ended.stderr
    assert conftest.exists()
    assert init(project, "--remove", "--force").returncode == 0
    assert not conftest.exists()


def test_a_later_release_brings_its_lines_up_to_date(project, init):
    make(project, {ENVIRONMENT: "A = 1"})
    assert init(project).returncode == 0
    current = tree(project)
    older = (
        (project / ENVIRONMENT).read_text().replace("install_crossbridge()", "install_crossbridge() or None")
    )
    (project / ENVIRONMENT).write_text(older)
    assert init(project).returncode == 0
    assert tree(project) == current


def test_names_that_could_steer_a_terminal_are_shown_as_escapes(project, init):
    make(project, {"a\x1b[31m/features/" + name.partition("/")[2]: text for name, text in BEHAVE.items()})
    ended = init(project)
    assert ended.returncode == 0
    assert "\x1b" not in ended.stdout + ended.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="makes files of another owner")
def test_owner_and_mode_of_an_edited_file_stay(project, init):
    make(project, {ENVIRONMENT: "A = 1\n"})
    (project / ENVIRONMENT).chmod(0o664)
    os.chown(project / ENVIRONMENT, 65534, 65534)
    assert init(project).returncode == 0
    found = (project / ENVIRONMENT).stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (65534, 65534, 0o664)
