"""The one line a run ends with: where its events are.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crossbridge.profiling.models import StorageBackendType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from crossbridge.profiling.collector import MetricsCollector
    from crossbridge.profiling.progress import RunProgress

_MENDS = {
    StorageBackendType.NONE: "Deliver them with 'crossbridge ingest'.",
    StorageBackendType.POSTGRES: "Deliver them with 'crossbridge ingest'.",
    StorageBackendType.LOCAL: "'crossbridge report' delivers and shows them.",
}


def summary(collector: MetricsCollector, others: Iterable[Mapping[str, Any]] = ()) -> tuple[str, bool]:
    """
    Say what became of a run's events; call it when the collector is shut down.

    Returns the line, and whether it tells of events that are lost, or are not delivered though they should be.
    `others` are the `get_stats()` of the run's processes that answer to this one: what could not be written stands
    in no file, so each process has to say it.
    """
    stats = [collector.get_stats(), *others]
    progress = collector.progress
    dropped = max(progress.dropped, sum(process["dropped"] for process in stats))
    faults = sum(process["faults"] for process in stats)
    sentences = [_whereabouts(collector, progress)]
    if dropped:
        sentences.append(f"{dropped:,} dropped: the spool, its disk or the database did not take them.")
    if faults:
        first = next(process["first_fault"] for process in stats if process["first_fault"])
        sentences.append(f"{faults:,} faults of crossbridge's own, the first: {first}")
    undelivered = progress.spooled and collector.config.backend is StorageBackendType.POSTGRES
    return f"crossbridge: {' '.join(sentences)}", bool(dropped or faults or undelivered)


def _whereabouts(collector: MetricsCollector, progress: RunProgress) -> str:
    shipper, config = collector.shipper, collector.config
    run = f"run {collector.run_id}"
    if not progress.spooled:
        to = f" to {shipper.target}" if shipper.target and progress.written else ""
        return f"{_events(progress.written)} delivered{to}, {run}."
    delivered = f"{progress.written:,} delivered, " if progress.written else ""
    if shipper.alive and shipper.error is None:
        return f"{delivered}{_events(progress.spooled)} on their way to {shipper.target}, {run}."
    kept = f"{delivered}{_events(progress.spooled)} kept in {os.fspath(config.spool_dir)}"
    mend = _MENDS[config.backend]
    if config.backend is StorageBackendType.NONE:
        return f"{kept}, {run}. {mend}"
    reason = shipper.error or f"the shipper has {'ended' if shipper.state else 'not begun'}"
    if config.backend is StorageBackendType.LOCAL:
        reason = reason.partition(". ")[0]  # less its mend: a command that reads starts the server by itself
    return f"{kept}: {reason.rstrip('.')}. {mend}"


def _events(number: int) -> str:
    return f"{number:,} event" if number == 1 else f"{number:,} events"
