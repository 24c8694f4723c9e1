from __future__ import annotations

import subprocess
import sys
import time
from uuid import UUID

from crossbridge.profiling.real import hyphened, is_refusal, new_uuid, now_us, read_file


def test_now_is_the_wall_clock_in_microseconds():
    before = time.time_ns() // 1000
    assert before - 50_000 <= now_us() <= time.time_ns() // 1000 + 50_000


def test_now_does_not_go_back():
    times = [now_us() for _ in range(1000)]
    assert times == sorted(times)


def test_ids_are_uuids_of_version_7_in_order_of_time():
    ids = [new_uuid() for _ in range(1000)]
    assert len(set(ids)) == 1000
    for text in (ids[0], ids[-1]):
        uuid = UUID(text)
        assert str(uuid) == text
        assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
        assert abs((uuid.int >> 80) - time.time_ns() // 1_000_000) < 10_000
    assert [text[:13] for text in ids] == sorted(text[:13] for text in ids)


def test_hyphens_stand_where_they_do_in_a_uuid():
    digits = "0123456789abcdef0123456789abcdef"
    assert hyphened(digits) == str(UUID(digits))


def test_a_file_is_read_up_to_a_limit(tmp_path):
    content = bytes(range(256)) * 1000
    (tmp_path / "f").write_bytes(content)
    assert read_file(str(tmp_path / "f")) == content
    assert read_file(str(tmp_path / "f"), limit=70_000) == content[:70_000]
    assert read_file(str(tmp_path / "nowhere")) is None
    assert read_file(str(tmp_path)) is None


def test_only_what_the_system_refuses_is_a_refusal():
    assert is_refusal(FileNotFoundError(2, "x"))
    assert not is_refusal(TimeoutError())
    assert not is_refusal(TimeoutError("the user's"))
    assert not is_refusal(ValueError())
    assert not is_refusal(None)


FROZEN_FIRST = """
import time
real = [time.time_ns]  # which freezegun does not find
from freezegun import freeze_time
with freeze_time("2012-01-14"):
    from crossbridge.profiling.real import now_us
    first = now_us()
    assert abs(first - real[0]() // 1000) < 1_000_000, first
    until = time.clock_gettime(time.CLOCK_MONOTONIC) + 5
    while now_us() == first:
        assert time.clock_gettime(time.CLOCK_MONOTONIC) < until
"""


def test_a_clock_that_is_frozen_before_the_first_import_does_not_stop_ours():
    subprocess.run([sys.executable, "-c", FROZEN_FIRST], check=True)
