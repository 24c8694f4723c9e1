"""A writer of segments, made from spec/segment.md alone: it shares no line with the product's own.

    segment = SegmentFile(spool, framework="pytest")     # the header is there at once
    segment.test("tests/test_a.py::test_one", status="failed")
    segment.event("http_call", endpoint="shop/api/{id}", method="GET", duration_us=1200)
    segment.raw(b'{"type":"test_end"')                   # bytes as they are: torn, not JSON, whatever
    segment.drop(3)                                      # overwrites the number in the header
    segment.end("passed")

The writer of a segment is this process unless `pid` says otherwise; `gone()` gives the pid of one that has ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path


def new_id() -> str:
    return str(uuid.uuid4())


def start_ticks(pid: int) -> int:
    """Field 22 of /proc/PID/stat."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])


def gone() -> dict[str, int]:
    """`pid` and `pid_start` of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    identity = {"pid": process.pid, "pid_start": start_ticks(process.pid)}
    process.communicate()
    return identity


class SegmentFile:
    """One segment file under construction."""

    def __init__(
        self, spool: Path, *, run_id: str | None = None, segment_id: str | None = None, **header
    ) -> None:
        self.spool = spool
        self.run_id = run_id or new_id()
        self.segment_id = segment_id or new_id()
        self.collected = self.dropped = 0
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(self.path, flags, 0o600)
        self.header = self._header() | header
        self.header["role"] = "child" if self.header["parent"] else "main"
        text = json.dumps(self.header, separators=(",", ":"))
        self.raw(b'{"dropped":%-20d,' % 0 + text[1:].encode() + b"\n")

    @property
    def folder(self) -> Path:
        return self.spool / self.run_id

    @property
    def path(self) -> Path:
        return self.folder / f"{self.segment_id}.jsonl"

    @property
    def ack_path(self) -> Path:
        return self.path.with_suffix(".ack")

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def event(self, type_: str, **fields) -> None:
        """Append one event; `at_us` is now unless given."""
        self.events([{"type": type_, "at_us": now_us()} | fields])

    def events(self, events: list[dict]) -> None:
        """Append events in one write."""
        self.collected += len(events)
        self.raw(b"".join(json.dumps(event, separators=(",", ":")).encode() + b"\n" for event in events))

    def test(self, test_id: str, *, status: str = "passed", duration_us: int = 1500, **fields) -> None:
        """Append the start and the end of a test."""
        at_us = now_us()
        self.event("test_start", test_id=test_id, at_us=at_us, **fields)
        self.event(
            "test_end",
            test_id=test_id,
            at_us=at_us + duration_us,
            status=status,
            duration_us=duration_us,
            **fields,
        )

    def raw(self, content: bytes) -> None:
        assert os.write(self._fd, content) == len(content)

    def drop(self, count: int) -> None:
        """Count events as dropped, as a writer does whom the disk refuses."""
        self.dropped += count
        self.collected += count
        fd = os.open(self.path, os.O_WRONLY)
        os.pwrite(fd, b"%-20d" % self.dropped, len(b'{"dropped":'))
        os.close(fd)

    def end(self, status: str | None = "passed", next_id: str | None = None) -> None:
        """Append `segment_end` and close."""
        end = {"type": "segment_end", "at_us": now_us(), "status": status, "collected": self.collected}
        self.raw(json.dumps(end | {"dropped": self.dropped, "next": next_id}).encode() + b"\n")
        self.close()

    def close(self) -> None:
        """Close the file without a word, as the death of the writer does."""
        os.close(self._fd)

    def rotate(self) -> SegmentFile:
        """End this segment and begin the next of the same writer."""
        following = self.following()
        self.end(None, following.segment_id)
        return following

    def following(self) -> SegmentFile:
        """Begin the next segment of the same writer; this one stays as it is."""
        header = self.header | {"seq": self.header["seq"] + 1}
        del header["segment_id"], header["run_id"]
        return SegmentFile(self.spool, run_id=self.run_id, **header)

    def _header(self) -> dict:
        return {
            "type": "segment_start",
            "v": 1,
            "segment_id": self.segment_id,
            "run_id": self.run_id,
            "writer": self.segment_id,
            "seq": 0,
            "parent": None,
            "pid": os.getpid(),
            "pid_start": start_ticks(os.getpid()),
            "host": os.uname().nodename,
            "os": "Linux 6.1",
            "runtime": "CPython 3.11.7",
            "sdk": "python/0.1.0",
            "framework": "pytest",
            "framework_version": "9.0",
            "worker": None,
            "at_us": now_us(),
            "environment": "local",
            "app_version": "1.0",
            "labels": {},
            "git_commit": None,
            "git_branch": None,
            "ci_provider": None,
            "ci_url": None,
        }


def now_us() -> int:
    return time.time_ns() // 1000
