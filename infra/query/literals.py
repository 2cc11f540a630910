"""Parse sizes and times that people type. Pure. Each function raises ValueError with an example of a valid value."""

import re
from datetime import UTC, datetime, timedelta

_SIZE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?([kmg]?i?b?)", re.IGNORECASE | re.ASCII)
_SIZE_UNITS: dict[str, int] = {
    "": 1,
    "b": 1,
    **{f"{letter}{end}": 1000**power for power, letter in enumerate("kmg", 1) for end in ("", "b")},
    **{f"{letter}i{end}": 1024**power for power, letter in enumerate("kmg", 1) for end in ("", "b")},
}
_SPAN = re.compile(r"([0-9]{1,6})([smhdw])", re.IGNORECASE | re.ASCII)
_SPAN_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_MAX_MOMENT_CHARACTERS = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def size_bytes(text: str) -> int:
    """Parse a size in bytes: ``10kb`` is 10,000, ``1.5MiB`` is 1,572,864; a plain number counts bytes."""
    match = _SIZE.fullmatch(text)
    unit = _SIZE_UNITS.get(match[3].lower()) if match else None
    if not match or unit is None:
        raise ValueError("a size is a number and b, kb, mb, gb, kib, mib or gib, for example 10kb")
    thousandths = int((match[2] or "").ljust(3, "0"))
    return int(match[1]) * unit + thousandths * unit // 1000


def moment(text: str, now: datetime) -> datetime:
    """Parse a time to aware UTC, 1970 at the earliest: ``10m`` means ten minutes before ``now``.

    An ISO 8601 time without a zone is UTC.
    """
    try:
        if span := _SPAN.fullmatch(text):
            parsed = now - timedelta(seconds=int(span.group(1)) * _SPAN_SECONDS[span.group(2).lower()])
        elif len(text) <= _MAX_MOMENT_CHARACTERS:
            typed = datetime.fromisoformat(text)
            parsed = typed.astimezone(UTC) if typed.tzinfo else typed.replace(tzinfo=UTC)
        else:
            raise ValueError("too long")
    except (ValueError, OverflowError) as exc:
        raise ValueError("a time is 30s, 10m, 2h, 3d or 1w ago, or for example 2026-11-23T10:00Z") from exc
    return max(parsed, _EPOCH)
