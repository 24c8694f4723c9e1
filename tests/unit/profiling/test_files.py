from __future__ import annotations

import os
import threading

import pytest

from crossbridge.profiling.files import append_copy, make_folder, names_in, remove, size_of


def test_folders_are_made_by_many_at_once(tmp_path):
    faults = []
    barrier = threading.Barrier(8)

    def make(round_: int) -> None:
        barrier.wait()
        try:
            make_folder(f"{tmp_path}/{round_}/b/c/d")
        except OSError as error:
            faults.append(error)

    for round_ in range(100):
        threads = [threading.Thread(target=make, args=[round_]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert faults == []
    assert (tmp_path / "99" / "b" / "c" / "d").is_dir()


@pytest.mark.parametrize("path", ["{}/file/x", "{}/gone/x", "\0"])
def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, path):
    (tmp_path / "file").write_text("")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises((OSError, ValueError)):
        make_folder(path.format(tmp_path))


def test_what_is_not_there_is_empty(tmp_path):
    assert names_in(str(tmp_path / "nowhere")) == []
    assert size_of(str(tmp_path / "nowhere")) == 0
    remove(str(tmp_path / "nowhere"))


def test_a_copy_begins_where_it_is_told_and_says_where_it_ended(tmp_path):
    content = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(content)
    source = os.open(tmp_path / "a", os.O_RDONLY)
    target = os.open(tmp_path / "b", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    assert append_copy(source, target, 1000) == len(content)
    os.close(source)
    os.close(target)
    assert (tmp_path / "b").read_bytes() == content[1000:]
