"""Changes to files: all or none, with the mode they had, and nothing left beside them."""

from __future__ import annotations

import os
import stat

import pytest

from crossbridge.orchestration.files import Change, NotWritten, apply, diff
from support.projects import make, tree


def change(path, before, after, **more):
    return Change(path, before, after, "a test", **more)


def test_files_are_made_edited_and_deleted(tmp_path):
    make(tmp_path, {"edited": "old", "deleted": "gone"})
    (tmp_path / "edited").chmod(0o751)
    apply(
        [
            change(tmp_path / "edited", b"old", b"new"),
            change(tmp_path / "deleted", b"gone", None),
            change(tmp_path / "made", None, b"made"),
            change(tmp_path / "secret", None, b"secret", secret=True),
        ]
    )
    mask = os.umask(0)
    os.umask(mask)
    assert tree(tmp_path) == {
        "edited": (0o751, b"new"),
        "made": (0o666 & ~mask, b"made"),
        "secret": (0o600, b"secret"),
    }


def failing(root):
    """A change that cannot be made: to a folder, of which that is found out when the others are made already."""
    (root / "folder").mkdir(exist_ok=True)
    return change(root / "folder", None, b"content")


def test_a_failure_midway_leaves_everything_as_it_was(tmp_path):
    make(tmp_path, {"edited": "old", "deleted": "gone"})
    (tmp_path / "deleted").chmod(0o640)
    last = failing(tmp_path)
    before = tree(tmp_path)
    changes = [
        change(tmp_path / "edited", b"old", b"new"),
        change(tmp_path / "deleted", b"gone", None),
        change(tmp_path / "made", None, b"made"),
    ]
    with pytest.raises(
        NotWritten, match=r"folder cannot be written \(Is a directory\)\. Nothing was changed"
    ):
        apply([*changes, last])
    after = tree(tmp_path)
    assert {name: content for name, (_, content) in after.items()} == {
        name: content for name, (_, content) in before.items()
    }
    assert stat.S_IMODE((tmp_path / "edited").stat().st_mode) == before["edited"][0]


def test_folders_come_and_go_with_their_files(tmp_path):
    make(tmp_path, {"src/theirs": "x"})
    before = tree(tmp_path)
    made = [change(tmp_path / "src" / "a" / name, None, b"a") for name in ("b/c", "d")]
    apply(made)
    gone = [Change(one.path, one.after, None, "purpose", within=tmp_path) for one in made]
    apply(gone[:1])
    assert (tmp_path / "src/a/d").exists()
    assert not (tmp_path / "src/a/b").exists()
    apply(gone[1:])
    assert tree(tmp_path) == before


def test_folders_made_for_what_failed_are_taken_away(tmp_path):
    make(tmp_path, {"edited": "old"})
    before = tree(tmp_path)
    with pytest.raises(NotWritten, match="edited/a cannot be written"):
        apply(
            [change(tmp_path / "new" / "a" / "b", None, b"a"), change(tmp_path / "edited" / "a", None, b"a")]
        )
    assert tree(tmp_path) == before


def test_a_file_that_somebody_else_writes_meanwhile_is_theirs(tmp_path):
    make(tmp_path, {"first": "1", "second": "theirs"})
    before = tree(tmp_path)
    with pytest.raises(NotWritten, match="second was changed by somebody else"):
        apply([change(tmp_path / "first", b"1", b"2"), change(tmp_path / "second", b"read before", b"ours")])
    assert tree(tmp_path) == before


def test_diff_is_one_that_patch_reads():
    lines = list(diff(change("x", b"a\nb", b"a\nb\nc\n"), "dir/x"))
    assert lines == [
        "--- a/dir/x",
        "+++ b/dir/x",
        "@@ -1,2 +1,3 @@",
        " a",
        "-b",
        "\\ No newline at end of file",
        "+b",
        "+c",
    ]
