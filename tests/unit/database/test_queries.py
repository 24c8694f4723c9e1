from __future__ import annotations

import re
from importlib.resources import files

import pytest

from crossbridge.database import queries
from crossbridge.database.queries import query

FOLDER = files("crossbridge.database") / "queries"


def test_every_block_of_every_file_is_found_and_says_what_it_answers():
    heads = [
        match
        for file in FOLDER.iterdir()
        if file.name.endswith(".sql")
        for match in re.findall(r"^-- (\w+) --\n(.*)$", file.read_text(), re.MULTILINE)
    ]
    assert len(heads) > 10
    for name, purpose in heads:
        assert re.match(r"-- \S", purpose), name
        assert query(name).endswith(";")


def test_comments_are_left_out():
    # A % in one would be taken for a parameter.
    assert "--" not in query("months")


def test_an_unknown_name_is_an_error():
    with pytest.raises(KeyError):
        query("no_such_query")


def test_a_name_given_twice_is_an_error(tmp_path, monkeypatch):
    for name in ("a.sql", "b.sql"):
        (tmp_path / name).write_text("-- same --\n-- Purpose.\nSELECT 1;\n")
    monkeypatch.setattr(queries, "files", lambda _package: tmp_path)
    queries._queries.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"b\.sql: there are two queries called same"):
            query("same")
    finally:
        monkeypatch.undo()
        queries._queries.cache_clear()
