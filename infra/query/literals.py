"""Sizes and moments as people type them. Pure. Each raises ValueError with a sentence that shows what is wanted."""

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
_LONGEST_MOMENT = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def size_bytes(text: str) -> int:
    """``10kb`` is 10,000 bytes, ``1.5MiB`` is 1,572,864; a number alone counts bytes."""
    found = _SIZE.fullmatch(text)
    unit = _SIZE_UNITS.get(found.group(3).lower()) if found else None
    if not found or unit is None:
        raise ValueError("a size is a number and b, kb, mb, gb, kib, mib or gib, for example 10kb")
    thousandths = int((found.group(2) or "").ljust(3, "0"))
    return int(found.group(1)) * unit + thousandths * unit // 1000


def moment(text: str, now: datetime) -> datetime:
    """``10m`` is ten minutes before ``now``; an ISO 8601 time without a zone is UTC. Aware UTC, not before 1970."""
    try:
        if span := _SPAN.fullmatch(text):
            found = now - timedelta(seconds=int(span.group(1)) * _SPAN_SECONDS[span.group(2).lower()])
        elif len(text) <= _LONGEST_MOMENT:
            typed = datetime.fromisoformat(text)
            found = typed.astimezone(UTC) if typed.tzinfo else typed.replace(tzinfo=UTC)
        else:
            raise ValueError("too long")
    except (ValueError, OverflowError) as exc:
        raise ValueError("a time is 30s, 10m, 2h, 3d or 1w ago, or for example 2026-11-23T10:00Z") from exc
    return max(found, _EPOCH)
