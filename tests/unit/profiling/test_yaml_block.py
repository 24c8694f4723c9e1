from __future__ import annotations

import pytest

from crossbridge.errors import ConfigError
from crossbridge.profiling.yaml_block import profiling_block


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("profiling:\n", {}),
        ("other: 1\n", {}),
        ("profiling:\n  enabled: true\n", {"enabled": "true"}),
        ("\nprofiling:  # ours\n\n  # more\n  enabled: true # yes\n", {"enabled": "true"}),
        ("profiling:\r\n  enabled: true\r\n", {"enabled": "true"}),
        ("crossbridge:\n  name: x\n  profiling:\n    enabled: true\n  after: 1\n", {"enabled": "true"}),
        ("other:\n  profiling:\n    enabled: true\n", {}),
        ("a: &x [1, 2]\nprofiling:\n  enabled: on\nb: |\n  enabled: off\n", {"enabled": "on"}),
        ("profiling:\n  database:\n    host: db\n    port: 1\n  enabled: on\n", {"database.host": "db", "database.port": "1", "enabled": "on"}),
        ("profiling:\n    a:\n        b:\n            c: 1\n        d: 2\n    e: 3\n", {"a.b.c": "1", "a.d": "2", "e": "3"}),
        ("profiling:\n  a: 'x # y'  # z\n  b: \"x: 'y'\"\n", {"a": "x # y", "b": "x: 'y'"}),
        ("profiling:\n  a: x#y\n  b: x # y\n  c: x  y\n", {"a": "x#y", "b": "x", "c": "x  y"}),
        ("profiling:\n  a: ''\n  b: ~\n  c: null\n  d: \"null\"\n  e:\n", {"d": "null"}),
        ("profiling:\n  labels: a=1,b=2\n  url: http://x:1/y\n", {"labels": "a=1,b=2", "url": "http://x:1/y"}),
        ("profiling:\n  batch_size: -1\n", {"batch_size": "-1"}),
        ("profiling :\n  enabled : true\n", {"enabled": "true"}),
    ],
)  # fmt: skip
def test_the_block_is_read(text, values):
    assert profiling_block(text) == values


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("- enabled", "no colon"),
        ("enabled", "no colon"),
        ("a: [1, 2]", "a"),
        ("a: {b: 1}", "a"),
        ("a: |", "a"),
        ("a: &anchor 1", "a"),
        ("a: *anchor", "a"),
        ("a: !tag 1", "a"),
        ("a: 'x' y", "a"),
        ("a: 'x", "a"),
        ('a: "x\\n"', "a"),
        ("a:b", "a"),
        ("\ta: 1", "a"),
        ("password: [s3cret", "password"),
    ],
)
def test_another_form_is_an_error_that_names_the_line_and_shows_no_value(line, seen):
    with pytest.raises(ConfigError) as raised:
        profiling_block(f"x: 1\nprofiling:\n  fine: 1\n  {line}\n")
    assert str(raised.value) == (
        f"crossbridge.yml line 4 must be 'key: value' inside the profiling block, got {seen!r}."
    )


@pytest.mark.parametrize(
    "line", ["profiling: {enabled: true}", "profiling: [x]", "crossbridge:\n  profiling: {}"]
)
def test_a_block_in_another_form_is_an_error(line):
    with pytest.raises(ConfigError, match=r"must be 'key: value'"):
        profiling_block(line)
