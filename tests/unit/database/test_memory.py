"""How much memory the embedded server takes for its pages."""

from __future__ import annotations

import os

import pytest

from crossbridge.database.embedded.postmaster import buffers_mb, memory_bytes

GB = 2**30


@pytest.mark.parametrize(
    ("memory", "expected"),
    [(GB, 256), (8 * GB, 256), (12 * GB, 384), (24 * GB, 768), (32 * GB, 1024), (512 * GB, 1024)],
)
def test_a_share_of_the_memory_neither_small_nor_large(memory, expected):
    assert buffers_mb(memory) == expected


def test_a_container_has_what_its_control_group_allows(tmp_path):
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name, text in {"max": "max\n", "half": f"{machine // 2}\n", "vast": f"{2**63 - 4096}\n"}.items():
        (tmp_path / name).write_text(text)

    assert memory_bytes([tmp_path / "max", tmp_path / "missing", tmp_path / "vast"]) == machine
    assert memory_bytes([tmp_path / "max", tmp_path / "half"]) == machine // 2
