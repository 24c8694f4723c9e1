"""The shipper on good days: what is written arrives, in time, once, and the spool is left clean."""

from __future__ import annotations

from support.segment_file import SegmentFile
from support.shipping import rows, shipper, stored_tests


def test_delivers_a_run_and_ends_by_itself(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated) as process:
        segment.test("a::one")
        segment.test("a::two", status="failed")
        segment.end("failed")
        assert process.wait() == 0
    assert stored_tests(migrated) == {"a::one": "passed", "a::two": "failed"}
    assert rows(
        migrated, "SELECT status, events_collected, events_written, events_dropped FROM crossbridge.runs"
    ) == [("failed", 4, 4, 0)]
    assert not segment.path.exists()
