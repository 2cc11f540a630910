"""The spans of a timeline: round buckets that end with the open one, up to the retention."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from web.timeline.spans import DAY, HOUR, WEEK, Span, spans_for

NOW = datetime(2026, 11, 23, 10, 42, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        (HOUR, datetime(2026, 11, 23, 9, 43, tzinfo=UTC), datetime(2026, 11, 23, 10, 42, tzinfo=UTC)),
        (DAY, datetime(2026, 11, 22, 11, 0, tzinfo=UTC), datetime(2026, 11, 23, 10, 30, tzinfo=UTC)),
        (WEEK, datetime(2026, 11, 16, 12, 0, tzinfo=UTC), datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
    ],
)
def test_buckets_begin_at_round_times(span: Span, first: datetime, last: datetime) -> None:
    starts = span.starts(NOW)
    assert (starts[0], starts[-1], len(starts)) == (first, last, span.number)
    assert {later - earlier for earlier, later in pairwise(starts)} == {span.length}


@pytest.mark.parametrize(
    ("retention_days", "keys"),
    [
        (0.02, ["1h", "all"]),
        (1, ["1h", "all"]),
        (7, ["1h", "24h", "all"]),
        (30, ["1h", "24h", "7d", "all"]),
        (3650, ["1h", "24h", "7d", "all"]),
    ],
)
def test_spans_within_the_retention_are_offered(retention_days: float, keys: list[str]) -> None:
    spans = spans_for(retention_days)
    assert list(spans) == keys
    whole = spans["all"]
    assert whole.length * whole.number >= timedelta(days=retention_days)
    assert whole.number <= 60
    assert -(-whole.number // whole.wide_step) <= 12
