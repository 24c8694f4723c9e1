from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbridge.profiling import identity

CASES = json.loads(
    (Path(__file__).parents[2] / "spec" / "cases" / "identity.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES["test_id"], ids=lambda case: case["case"])
def test_test_id_is_stable(case):
    assert identity.test_id(case["raw"], case["project_root"]) == case["test_id"]


@pytest.mark.parametrize("case", CASES["endpoint"], ids=lambda case: case["url"])
def test_endpoint_is_a_template_without_secrets(case):
    assert identity.endpoint(case["url"]) == case["endpoint"]


def test_a_root_of_one_slash_is_no_root():
    assert identity.test_id("/tests/t.py::t[/x]", "/") == "/tests/t.py::t[/x]"


@given(st.text(), st.text())
def test_any_text_has_a_test_id(raw, project_root):
    assert isinstance(identity.test_id(raw, "/" + project_root), str)


@given(st.text())
def test_any_text_has_an_endpoint_without_query_fragment_and_matrix_parameters(url):
    found = identity.endpoint(url)
    assert not set("?#") & set(found)
    assert ";" not in found.partition("/")[2]


@given(
    st.text(
        st.characters(codec="utf-8", exclude_characters="/?#@ \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0"),
        min_size=1,
    )
)
def test_user_and_password_never_show(secret):
    assert identity.endpoint(f"https://ann:{secret}@example.com/x") == "example.com/x"
