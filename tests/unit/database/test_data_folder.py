from __future__ import annotations

import sys

import pytest
from platformdirs import user_data_path

from crossbridge.database.embedded import home


@pytest.mark.parametrize("named", [None, "", " ", "/elsewhere", "relative"])
@pytest.mark.parametrize("home_folder", ["/home/somebody", None])
def test_an_ordinary_users_data_lie_where_platformdirs_says(monkeypatch, tmp_path, named, home_folder):
    monkeypatch.setattr(home.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CROSSBRIDGE_DATA_DIR", raising=False)
    for name, value in (("XDG_DATA_HOME", named), ("HOME", home_folder)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert home.default_data_dir() == user_data_path("crossbridge", appauthor=False) / "postgres"
