"""The spans of a timeline, and the buckets that their bars stand for. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
# Lengths that divide an hour or a day, so that bars begin at round times.
_LENGTHS = [timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)]
_MOST_BARS = 60
_LINKS = 12


@dataclass(frozen=True, slots=True)
class Span:
    """A time that ends now, in ``number`` buckets of ``length``."""

    key: str
    words: str
    length: timedelta
    number: int

    @property
    def wide_step(self) -> int:
        """The number of buckets that one wide link covers; a touch screen needs wide ones."""
        return -(-self.number // _LINKS)

    def starts(self, now: datetime) -> list[datetime]:
        """Return the starts of the buckets, oldest first; ``now`` (aware UTC) is in the last."""
        last = _EPOCH + (now - _EPOCH) // self.length * self.length
        return [last - self.length * back for back in reversed(range(self.number))]


HOUR = Span("1h", "the last hour", timedelta(minutes=1), 60)
DAY = Span("24h", "the last 24 hours", timedelta(minutes=30), 48)
WEEK = Span("7d", "the last 7 days", timedelta(hours=3), 56)


def spans_for(retention_days: float) -> dict[str, Span]:
    """Return the spans that are offered, by key; the last has all messages that are kept."""
    kept = timedelta(days=retention_days)
    length = next((some for some in _LENGTHS if kept / some <= _MOST_BARS), None)
    length = length or timedelta(days=-(-kept // timedelta(days=_MOST_BARS)))
    whole = Span("all", "all that is kept", length, -(-kept // length))
    shorter = [span for span in (HOUR, DAY, WEEK) if span.length * span.number < kept]
    return {span.key: span for span in (*(shorter or [HOUR]), whole)}
