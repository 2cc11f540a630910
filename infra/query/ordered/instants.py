"""Read times as decimal seconds since the year 1, with every digit of their fraction. Pure."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

_DAY = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_CLOCK = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]++))?)?"
_ZONE = r" ?(?:Z|UTC|GMT|([-+])([0-9]{2})(?::?([0-9]{2}))?)"
# RFC 3339 and the forms of ISO 8601 near it: a date alone, a blank for the T, minutes without seconds, no zone.
_INSTANT = re.compile(f"{_DAY}(?:[T ]{_CLOCK}(?:{_ZONE})?)?", re.ASCII | re.IGNORECASE)
# A leap second has the number 60 (RFC 3339, section 5.7).
_MOST = (23, 59, 60, 23, 59)


def instant(text: str) -> Decimal | None:
    """Return the time that ``text`` is; None for any other text.

    A date without a time is midnight, and a time without a zone is UTC.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hour, zone_minute = match.groups(default="")
    parts = [int(part or 0) for part in (hour, minute, second, zone_hour, zone_minute)]
    if any(part > most for part, most in zip(parts, _MOST, strict=True)):
        return None
    try:
        days = date(int(year), int(month), int(day)).toordinal()
    except ValueError:
        return None
    offset = (parts[3] * 60 + parts[4]) * (-60 if sign == "-" else 60)
    seconds = ((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2] - offset
    # Text, because the arithmetic of decimals would round a long fraction.
    return Decimal(f"{seconds}.{fraction}")


def instant_of(at: datetime) -> Decimal:
    """Return an aware time as ``instant`` does."""
    utc = at.astimezone(UTC)
    seconds = ((utc.toordinal() * 24 + utc.hour) * 60 + utc.minute) * 60 + utc.second
    return Decimal(f"{seconds}.{utc.microsecond:06}")
