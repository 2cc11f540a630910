"""A closed minute is counted once, many clients share one count, and a failure is retried."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from infra.errors import StoreUnavailableError
from infra.logs import Logger
from infra.query import parse
from infra.query.list_arguments import ListArguments
from tests.support.local_cloud import ROOT
from tests.support.waiting import wait_until
from web.facets.index_counts import MAX_COUNTED
from web.timeline.bucket_counts import Bucket, BucketCounts, Buckets
from web.timeline.delivery_pauses import DeliverySwitch, Pause, pauses_between
from web.timeline.drawing import draw
from web.timeline.spans import HOUR

NOW = datetime(2026, 11, 23, 10, 42, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Counter:
    """Returns one message for each minute, and records the minutes it was asked for."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []
        self.fails = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def count(self, since: datetime, until: datetime) -> int:
        assert until - since == MINUTE
        self.may_answer.wait(5)
        self.asked.append(since)
        if self.fails:
            raise StoreUnavailableError("counting messages: not now")
        return 1


def no_pauses(since: datetime, until: datetime) -> tuple[Pause, ...]:
    return ()


@pytest.fixture
def counter() -> Counter:
    return Counter()


def counts_by(counter: Counter, log: StringIO | None = None, refresh_seconds: float = 0.0) -> BucketCounts:
    """Make counts for which every request is due."""
    logger = Logger("DEBUG", stream=log or StringIO())
    return BucketCounts(counter.count, no_pauses, logger, refresh_seconds=refresh_seconds)


def test_closed_minute_is_counted_once(counter: Counter) -> None:
    hours = counts_by(counter)
    assert hours.until(NOW, wait_seconds=5).uncounted == 0
    assert len(counter.asked) == 60
    hours.until(NOW + MINUTE, wait_seconds=5)
    # The minute that was open, and the new one.
    assert sorted(counter.asked[60:]) == HOUR.starts(NOW + MINUTE)[-2:]


def test_minute_is_counted_again_until_no_message_can_be_late(counter: Counter) -> None:
    hours = counts_by(counter)
    just_after = NOW.replace(minute=43, second=5)
    hours.until(just_after, wait_seconds=5)
    hours.until(just_after + timedelta(seconds=10), wait_seconds=5)
    assert counter.asked.count(NOW.replace(second=0)) == 2


def test_many_requests_share_one_count_and_wait_no_longer_than_asked(counter: Counter) -> None:
    counter.may_answer.clear()
    hours = counts_by(counter)
    assert [hours.until(NOW).uncounted for _ in range(20)] == [60] * 20
    assert hours.until(NOW, wait_seconds=0.05).uncounted == 60
    assert hours.until(NOW).is_refreshing
    counter.may_answer.set()
    counted = hours.until(NOW, wait_seconds=5)
    assert (counted.uncounted, counted.is_refreshing) == (0, False)
    assert len(counter.asked) == 60


def test_endless_count_does_not_delay_the_end_of_the_process() -> None:
    script = """
import threading
from datetime import UTC, datetime
from infra.logs import Logger
from web.timeline.bucket_counts import BucketCounts
asked, never = threading.Event(), threading.Event()
BucketCounts(lambda *_: (asked.set(), never.wait(), 0)[2], lambda *_: (), Logger("DEBUG")).until(datetime.now(UTC))
asked.wait(5)
"""
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=20, check=False).returncode == 0


def test_count_is_not_refreshed_before_it_is_due(counter: Counter) -> None:
    hours = counts_by(counter, refresh_seconds=10.0)
    for _ in range(5):
        hours.until(NOW, wait_seconds=5)
    assert len(counter.asked) == 60


def test_failure_is_logged_and_retried(counter: Counter) -> None:
    log = StringIO()
    counter.fails = True
    hours = counts_by(counter, log)
    assert hours.until(NOW, wait_seconds=5).uncounted == 60
    wait_until(lambda: "Messages of the last hour could not be counted" in log.getvalue(), "the log's line")
    counter.fails = False
    assert hours.until(NOW, wait_seconds=5).uncounted == 0


def test_counts_of_an_earlier_hour_are_forgotten(counter: Counter) -> None:
    hours = counts_by(counter)
    for later in (0, 30, 300):
        hours.until(NOW + later * MINUTE, wait_seconds=5)
    assert len(hours) == 60


def switch(minute: int, *, running: bool) -> DeliverySwitch:
    return DeliverySwitch("builds", NOW.replace(minute=minute, second=0), running)


@pytest.mark.parametrize(
    ("switches", "running_now", "expected"),
    [
        ([], True, []),
        ([], False, [(0, 40)]),
        ([switch(10, running=False), switch(20, running=True)], True, [(10, 20)]),
        ([switch(10, running=True)], True, [(0, 10)]),
        ([switch(30, running=False)], False, [(30, 40)]),
        ([switch(5, running=False), switch(6, running=False), switch(7, running=True)], True, [(5, 7)]),
        ([switch(5, running=True), switch(6, running=False)], False, [(0, 5), (6, 40)]),
    ],
)
def test_pauses_between_two_moments(
    switches: list[DeliverySwitch], running_now: bool, expected: list[tuple[int, int]]
) -> None:
    begin, end = NOW.replace(minute=0, second=0), NOW.replace(minute=40, second=0)
    pauses = pauses_between("builds", switches, running_now, begin, end)
    assert [(pause.since.minute, pause.until.minute) for pause in pauses] == expected


def hour_of(counts: dict[int, int], *stopped: Pause) -> Buckets:
    """Return an hour; the keys of ``counts`` are minutes ago."""
    minutes = HOUR.starts(NOW)
    return Buckets(tuple(Bucket(at, counts.get(59 - x, 0)) for x, at in enumerate(minutes)), stopped)


def test_bars_are_to_scale() -> None:
    drawn = draw(hour_of({0: 1, 10: 50, 59: 100}), parse("", NOW), ListArguments(), NOW)
    assert [(bar.x, bar.height) for bar in drawn.bars] == [(0, 100), (49, 50), (59, 4)]
    assert (drawn.total, drawn.peak.count, drawn.is_cut) == (151, 100, False)
    assert [len(spans) for spans in drawn.links.values()] == [60, 12]
    assert sum(span.count or 0 for span in drawn.links[5]) == 151


def test_hour_without_messages_has_no_bars() -> None:
    drawn = draw(hour_of({}), parse("", NOW), ListArguments(), NOW)
    assert (drawn.bars, drawn.total) == ((), 0)


def test_count_at_its_limit_is_marked() -> None:
    drawn = draw(hour_of({5: MAX_COUNTED}), parse("", NOW), ListArguments(), NOW)
    assert drawn.is_cut
    assert drawn.links[1][54].is_cut


def test_bars_within_the_filters_time_are_marked() -> None:
    drawn = draw(hour_of(dict.fromkeys(range(60), 1)), parse("x after:10m before:5m", NOW), ListArguments(), NOW)
    assert [bar.x for bar in drawn.bars if bar.is_chosen] == [49, 50, 51, 52, 53, 54]
    assert drawn.timeless == "x"


def test_pause_has_the_position_of_its_time() -> None:
    since = NOW - 70 * MINUTE
    stopped = Pause("builds", since, since + 20 * MINUTE)
    drawn = draw(hour_of({}, stopped), parse("", NOW), ListArguments(), NOW)
    assert [(stop.x, stop.width) for stop in drawn.stops] == [(0.0, 9.5)]
    assert drawn.stops[0].since == HOUR.starts(NOW)[0]
    assert drawn.last_stop == drawn.stops[0]


def test_last_of_many_pauses_is_described() -> None:
    several = [
        Pause(name, NOW - age * MINUTE, NOW - age * MINUTE + 5 * MINUTE)
        for name, age in (("a", 30), ("b", 10), ("a", 20))
    ]
    drawn = draw(hour_of({}, *several), parse("", NOW), ListArguments(), NOW)
    assert len(drawn.stops) == 3
    assert drawn.last_stop
    assert (drawn.last_stop.subscription, drawn.last_stop.since) == ("b", NOW - 10 * MINUTE)
    assert draw(hour_of({}), parse("", NOW), ListArguments(), NOW).last_stop is None
