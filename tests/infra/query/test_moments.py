"""Times as people type them, and as pages, records and browsers show them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.query import QueryError, parse
from infra.query.moments import moment
from tests.support.cpu_cost import assert_cheap
from web import formats

NOW = datetime(2026, 11, 28, 0, 5, tzinfo=UTC)
SHOWN = datetime(2026, 11, 27, 16, 37, 39, 137000, tzinfo=UTC)
WHOLE = SHOWN.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-27 16:37:39.137 UTC", SHOWN),
        ("2026-11-27T16:37:39.137Z", SHOWN),
        ("2026-11-27T16:37:39.137000Z", SHOWN),
        ("2026-11-27 16:37:39.137", SHOWN),
        ("2026-11-27 17:37:39.137 +01:00", SHOWN),
        ("2026-11-27 17:37:39.137+0100", SHOWN),
        ("2026-11-27 15:37:39.137 UTC-01", SHOWN),
        ("2026-11-27 16:37:39,137 gmt", SHOWN),
        ("27 Nov 16:37:39.137", SHOWN),
        ("27 Nov 16:37:39.137 UTC", SHOWN),
        ("27 nov 2026 17:37:39.137 +01:00", SHOWN),
        ("Fri Nov 27 2026 17:37:39 GMT+0100 (Central European Standard Time)", WHOLE),
        ("Fri, 27 Nov 2026 16:37:39 GMT", WHOLE),
        ("Fri Nov 27 2026 16:37:39 GMT+0000 (Coordinated Universal Time)", WHOLE),
        ("2026-11-27", SHOWN.replace(hour=0, minute=0, second=0, microsecond=0)),
        ("2026-11-27 UTC", SHOWN.replace(hour=0, minute=0, second=0, microsecond=0)),
        ("28 Nov 9:00", datetime(2026, 11, 28, 9, tzinfo=UTC)),
        ("30 Nov 9:00", datetime(2025, 11, 30, 9, tzinfo=UTC)),
        ("29 Feb 12:00", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2 minutes ago", NOW - timedelta(minutes=2)),
        ("1 hour ago", NOW - timedelta(hours=1)),
        ("3d ago", NOW - timedelta(days=3)),
    ],
)
def test_shown_time_can_be_typed(text: str, at: datetime) -> None:
    assert moment(text, NOW) == at
    assert parse(f'after:"{text}"', NOW).after == at


@given(st.integers(0, 1_900_000_000_000))
def test_every_time_of_a_page_is_read_to_the_millisecond(milliseconds: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    shown = at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert moment(formats.full_text(at), NOW) == moment(formats.iso(at), NOW) == shown
    if NOW - timedelta(days=365) < at < NOW:
        assert moment(f"{formats.day_text(at)} {formats.clock_text(at)}", NOW) == shown


@pytest.mark.parametrize(
    "text",
    [
        *(
            "soon",
            "27 Nov",
            "31 Feb 10:00",
            "30 Feb 2026 10:00",
            "27 Nov 25:00",
            "27 Nov 16:37 CET",
            "2026-11-27 16:37 ()",
        ),
        *("2026-11-27T16:37+25:00", "16:37", "27 Nov 16:37 +1", "9" * 101, "2026-13-01", "27  Nov 16:37"),
    ],
)
def test_other_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="a time is 30s, 10m, 2h, 3d or 1w ago, or for example 2026-11-23T10:00Z"):
        moment(text, NOW)


@pytest.mark.parametrize("clock", ["10:00", "9:30", "16:37:39.137", "16:37:39Z"])
def test_time_after_a_space_outside_quotes_is_explained(clock: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(f"-Before:2026-11-23 {clock} x", NOW)
    assert (caught.value.column, caught.value.problem) == (
        20,
        'a time with a space is written in quotes: after:"2026-11-23 10:00".',
    )
    assert len(parse(f"after:2026-11-23 x {clock}", NOW).terms) == 3


@pytest.mark.parametrize("text", [":0" * 50, "0" * 99 + "Z", " 1" * 50, "(" * 100, "+00" * 33])
def test_longest_time_is_read_cheaply(text: str) -> None:
    def read() -> None:
        with pytest.raises(ValueError, match="a time is"):
            moment(text, NOW)

    assert_cheap(read, loops=0.5)
