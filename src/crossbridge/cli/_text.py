"""How figures and names look to a person. Names come from tests and are untrusted; units stand at every figure."""

from __future__ import annotations

from datetime import datetime, timezone

from rich.cells import cell_len, chop_cells

# Not printable by Unicode's table, and yet part of how scripts and emoji are spelled.
_JOINERS = frozenset("\u200c\u200d")
_ELLIPSIS = "…"


def safe(text: str | None) -> str:
    """Put the text on one line; whatever could steer a terminal or hide itself is shown as an escape."""
    if text is None:
        return ""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS or _is_space(character):
        return character
    return character.encode("unicode_escape").decode("ascii")


def _is_space(character: str) -> bool:
    return character.isspace() and ord(character) > 0xA0 and character not in "\u2028\u2029"  # noqa: PLR2004


def first_line(text: str | None) -> str:
    """Return the first line that says something, safe to print."""
    return next((safe(line.strip()) for line in (text or "").splitlines() if line.strip()), "")


def crop(text: str, cells: int) -> str:
    """Fit `text` into so many terminal cells, leaving out its middle: the end of a test's name tells most."""
    if cell_len(text) <= cells:
        return text
    if cells < 8:  # noqa: PLR2004
        return crop_end(text, cells)
    tail = _tail(text, (cells - 1) * 2 // 3)
    return _head(text, cells - 1 - cell_len(tail)) + _ELLIPSIS + tail


def crop_end(text: str, cells: int) -> str:
    """Fit `text` into so many terminal cells, leaving out its end."""
    if cell_len(text) <= cells:
        return text
    return _head(text, cells - 1) + _ELLIPSIS if cells > 0 else ""


def _head(text: str, cells: int) -> str:
    return chop_cells(text, cells)[0] if cells > 0 else ""


def _tail(text: str, cells: int) -> str:
    taken = 0
    for start in range(len(text) - 1, -1, -1):
        taken += cell_len(text[start])
        if taken > cells:
            return text[start + 1 :]
    return text


def duration(us: float | None) -> str:
    """Microseconds as a person says them: `850 µs`, `12.3 ms`, `850 ms`, `3.20 s`, `3 m 12 s`, `2 h 05 m`."""
    if us is None:
        return "-"
    for limit, divisor, digits, unit in _DURATION_STEPS:
        if us < limit:
            return f"{us / divisor:.{digits}f} {unit}"
    minutes, seconds = divmod(round(us / 1_000_000), 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} m {seconds:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} m"


# (shown this way below so many µs, divided by, decimals, unit); limits are where rounding would reach the next unit.
_DURATION_STEPS = (
    (999.5, 1, 0, "µs"),
    (99_950, 1_000, 1, "ms"),
    (999_500, 1_000, 0, "ms"),
    (59_995_000, 1_000_000, 2, "s"),
)


def number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def counted(value: int, noun: str, plural: str = "") -> str:
    """`1 test`, `438 tests`."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def percent(part: int, whole: int) -> str:
    return "-" if not whole else f"{100 * part / whole:.2f}%"


def size(n_bytes: int) -> str:
    value = float(n_bytes)
    for unit in ("B", "KiB", "MiB"):
        if value < 1023.95:  # noqa: PLR2004
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} GiB"


def moment(at: datetime | None) -> str:
    """Wall-clock time in UTC, to the second."""
    return "-" if at is None else at.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def ago(at: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in its largest unit; a clock that runs ahead is shown as `just now`."""
    if at is None:
        return "never"
    seconds = int(((now or datetime.now(timezone.utc)) - at).total_seconds())
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return "just now"
