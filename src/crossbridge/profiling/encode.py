"""From an event to the line it is in a segment.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import msgspec

from crossbridge.profiling.models import PerformanceEvent
from crossbridge.profiling.sanitise import clean_text

# Of a list: for each tuple it is given, msgspec 0.22 leaves an iterator behind.
encode_lines = msgspec.json.Encoder(enc_hook=str).encode_lines

_TEXT_FIELDS = tuple(
    field for field in PerformanceEvent.__struct_fields__ if "str" in PerformanceEvent.__annotations__[field]
)


def cleaned(event: PerformanceEvent) -> PerformanceEvent:
    """Return the event with storable text (`spec/sanitising.md`)."""
    changes = {
        field: clean_text(str(value), field=field)
        for field in _TEXT_FIELDS
        if (value := getattr(event, field)) is not None
    }
    return msgspec.structs.replace(event, **changes)
