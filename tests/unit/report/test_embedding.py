from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files

import pytest

from crossbridge.report.page import _web_address, embed

ASSETS = files("crossbridge.report") / "assets"


@pytest.mark.parametrize(
    "name",
    ["</script><script>alert(1)</script>", "<!--", "]]>", "a & b", "line\u2028and\u2029para", "é 🚀 \\ \" '"],
)
def test_no_name_can_end_the_script_element_it_stands_in(name):
    text = embed({"name": name})
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == {"name": name}


def test_uplot_is_the_file_its_readme_names():
    folder = ASSETS / "uplot"
    named = re.findall(r"\| `(\S+)` \| `([0-9a-f]{64})` \|", (folder / "README.md").read_text())
    assert len(named) == 2
    for file, digest in named:
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest


def test_our_scripts_never_write_html_from_text():
    for file in ASSETS.iterdir():
        if file.name.endswith(".js"):
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), (
                file.name
            )


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//host/x", "", None, " https://x"]
)
def test_only_a_web_address_becomes_a_link(url):
    assert _web_address(url) is None


def test_a_web_address_stays_one():
    assert _web_address("https://ci.example/1?a=b") == "https://ci.example/1?a=b"
