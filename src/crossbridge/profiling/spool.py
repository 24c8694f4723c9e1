"""Delivering what lies in a spool once, in the foreground: `crossbridge ingest`, and every command that reads."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.errors import CrossbridgeError, UsageError
from crossbridge.profiling.shipping.backoff import Backoff
from crossbridge.profiling.shipping.chain import Chains
from crossbridge.profiling.shipping.couriers import Couriers
from crossbridge.profiling.shipping.describe import Versions
from crossbridge.profiling.shipping.folder import REJECTED, tidy
from crossbridge.profiling.storage import PostgresBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from crossbridge.database.target import Target
    from crossbridge.profiling.models import ProfileConfig
    from crossbridge.profiling.shipping.delivery import Delivery

# How often what a database refuses for no fault of the events is tried again before it is reported.
ATTEMPTS = 4


@dataclass(frozen=True)
class DeliveryReport:
    """
    What came of a delivery.

    Events: `delivered` now, `already_there` before, `rejected` by the database as bad data and set aside, `dropped` by
    their writers. Segments: `closed`, and `left` because their writers may live.
    """

    delivered: int = 0
    already_there: int = 0
    rejected: int = 0
    dropped: int = 0
    segments_closed: int = 0
    segments_left: int = 0


def deliver_spool(
    config: ProfileConfig,
    target: Target,
    progress: Callable[[int, int], None] | None = None,
    *,
    paths: Sequence[Path] | None = None,
    assume_gone: bool = False,
    keep: bool = False,
) -> DeliveryReport:
    """
    Deliver every whole line of the project's spool to a database whose schema is made or updated if need be.

    Segments of writers that live stay open. A shipper may be at work on the same spool: no event gets in twice.

    Args:
        config: Names the spool, and how much is read ahead and sent at a time.
        target: The database.
        progress: Called with the bytes delivered so far and the bytes there are.
        paths: Spools, run folders or segments instead of the project's spool.
        assume_gone: Take every writer for gone, and close its segments.
        keep: Leave the files as they are.

    Raises:
        DatabaseUnreachable, SchemaError, DatabaseError: What is not delivered stays in the spool.
        UsageError: As `find_segments`.
    """
    found = find_segments([config.spool_path] if paths is None else paths)
    chains = Chains(keep=keep)
    versions = Versions(config.project_root)
    couriers = Couriers(PostgresBackend(target), pool_max=config.pool_max, queue_size=config.queue_size)
    deliveries = chains.take_in(found)
    for delivery in deliveries:
        versions.ask_for(delivery)
    for chain in chains:
        chain.check_writer(assume_gone=assume_gone)
    try:
        for _ in _rounds(chains, couriers):
            if progress:
                progress(*_bytes_done(deliveries))
        versions.tell(couriers, wait=True)
    finally:
        couriers.close()
    if not keep:
        tidy(config.spool_path)
    return DeliveryReport(
        delivered=sum(each.delivered for each in deliveries),
        already_there=sum(each.ack.events - each.delivered for each in deliveries),
        rejected=sum(each.rejected for each in deliveries),
        dropped=sum(each.dropped for each in deliveries),
        segments_closed=sum(1 for each in deliveries if each.ack.closed),
        segments_left=sum(1 for each in deliveries if not each.ack.closed) + len(chains.unread),
    )


def find_segments(paths: Iterable[Path]) -> list[Path]:
    """
    Return the segments among files and below folders; a folder that is not there holds none.

    Raises:
        UsageError: This user may not look into a folder, such as one that root has left from a container.
    """
    found: dict[Path, None] = {}
    for path in paths:
        try:
            inside = [path] if path.is_file() else sorted(_segments_below(path))
        except PermissionError as error:
            raise UsageError(
                f"cannot look into {error.filename}: {error.strerror}."
                " Do this as the user of the tests, or let 'chown -R' give you the folder."
            ) from error
        found.update((each.absolute(), None) for each in inside if each.parent.name != REJECTED)
    return list(found)


def _segments_below(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder, onerror=_refuse):  # rglob passes over what it may not see
        yield from (Path(place, name) for name in names if name.endswith(".jsonl"))


def _refuse(error: OSError) -> None:
    if isinstance(error, PermissionError):  # else it is gone by now
        raise error


def count_waiting(paths: Iterable[Path]) -> int:
    """Count the events that no database is known to have, as far as the spool knows."""
    waiting = 0
    for delivery in Chains().take_in(find_segments(paths)):
        segment = delivery.segment
        waiting += segment.count_events(segment.whole) - segment.count_events(delivery.ack.offset)
    return waiting


def _rounds(chains: Chains, couriers: Couriers) -> Iterator[None]:
    """Deliver until nothing is left that can be, handing back control now and then."""
    backoff = Backoff()
    failed = 0
    while work := [chain for chain in chains if chain.has_work()]:
        failures = couriers.carry(work, go_on=lambda: True)
        if couriers.outage:
            raise couriers.outage
        yield
        if len(failures) < len(work):
            failed = 0
            continue
        failed += 1
        if failed == ATTEMPTS:
            raise _readable(next(iter(failures.values())))
        backoff.failed()
        time.sleep(backoff.wait_s)


def _readable(error: Exception) -> CrossbridgeError:
    return (
        error if isinstance(error, CrossbridgeError) else UsageError(f"the spool cannot be changed: {error}")
    )


def _bytes_done(deliveries: Sequence[Delivery]) -> tuple[int, int]:
    done = sum(min(each.ack.offset, each.segment.whole) for each in deliveries)
    return done, sum(each.segment.whole for each in deliveries)
