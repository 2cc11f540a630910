"""Parse times that people type, or copy from a page. Pure.

A time without a zone is UTC, here and in every address. A page where the zone is Local writes the offset out before it
sends the filter (web/static/js/core/zoned_times.js), so that one address means the same for all readers.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

_SPAN = re.compile(r"([0-9]{1,6})(?:([smhdw])| (second|minute|hour|day|week)s?)(?: ago)?", re.IGNORECASE | re.ASCII)
_SPAN_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
# The longest form is that of browsers, with a zone's name in brackets.
_MAX_CHARACTERS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE_NAME = r"(?: \([^()]*\))?"
_WITH_OFFSET = re.compile(rf"(.*:.*?[0-9]) ?(?:UTC|GMT)?([+-])([0-9]{{2}}):?([0-9]{{2}})?{_ZONE_NAME}", re.IGNORECASE)
_WITH_UTC = re.compile(rf"(.*?[0-9]) ?(?:Z|UTC|GMT){_ZONE_NAME}", re.IGNORECASE)
_CLOCK = r"(?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
_CLOCK_ALONE = re.compile(rf"{_CLOCK}Z?", re.ASCII)
_DAY_NAME = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_DAY, _YEAR = r"(?P<day>[0-9]{1,2})", r"(?:,? (?P<year>[0-9]{4}))?"
# 27 Nov 16:37:39.137 and Fri Nov 27 2026 16:37:39, as lists and browsers write them.
_WORDED = tuple(
    re.compile(f"{_DAY_NAME}{day}{_YEAR},? {_CLOCK}", re.IGNORECASE | re.ASCII)
    for day in (f"{_DAY} {_MONTH}", f"{_MONTH} {_DAY}")
)
_AHEAD = timedelta(days=1)


def moment(text: str, now: datetime) -> datetime:
    """Parse a time to aware UTC, 1970 at the earliest: ``10m`` means ten minutes before ``now``.

    A time without a zone is UTC, a date without a time is midnight, and a day without a year is the last such day.
    """
    return max(any_moment(text, now), _EPOCH)


def any_moment(text: str, now: datetime) -> datetime:
    """Parse a time as ``moment`` does, also one before 1970."""
    try:
        if span := _SPAN.fullmatch(text):
            return now - timedelta(seconds=int(span[1]) * _SPAN_SECONDS[(span[2] or span[3])[0].lower()])
        if len(text) <= _MAX_CHARACTERS:
            return _absolute(text, now)
        raise ValueError("too long")
    except (ValueError, OverflowError) as exc:
        raise ValueError("a time is 30s, 10m, 2h, 3d or 1w ago, or for example 2026-11-23T10:00Z") from exc


def is_clock(text: str) -> bool:
    """Tell whether ``text`` is a time of day, which after a date is probably a part of it."""
    return _CLOCK_ALONE.fullmatch(text) is not None


def _absolute(text: str, now: datetime) -> datetime:
    if match := _WITH_OFFSET.fullmatch(text):
        offset = timedelta(hours=int(match[3]), minutes=int(match[4] or 0))
        return _local(match[1], timezone(-offset if match[2] == "-" else offset), now)
    match = _WITH_UTC.fullmatch(text)
    return _local(match[1] if match else text, UTC, now)


def _local(text: str, zone: tzinfo, now: datetime) -> datetime:
    worded = next(filter(None, (form.fullmatch(text) for form in _WORDED)), None)
    if worded is None:
        typed = datetime.fromisoformat(text)
        return typed.astimezone(UTC) if typed.tzinfo else typed.replace(tzinfo=zone).astimezone(UTC)
    month, day = _MONTHS.index(worded["month"].lower()) + 1, int(worded["day"])
    typed_clock = worded["clock"]
    clock = time.fromisoformat(typed_clock if typed_clock[2] == ":" else f"0{typed_clock}")
    if worded["year"]:
        return _at(int(worded["year"]), month, day, clock, zone)
    # The 29th of February comes every eighth year at the latest.
    years = range(now.year + 1, now.year - 9, -1)
    times = (_if_exists(year, month, day, clock, zone) for year in years)
    found = next((at for at in times if at and at <= now + _AHEAD), None)
    if found is None:
        raise ValueError("no such day")
    return found


def _if_exists(year: int, month: int, day: int, clock: time, zone: tzinfo) -> datetime | None:
    try:
        return _at(year, month, day, clock, zone)
    except ValueError:
        return None


def _at(year: int, month: int, day: int, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(date(year, month, day), clock, zone).astimezone(UTC)
