"""What failing again and again brings: locks that grow, and an end to them."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.accounts.lock_policy import Limit, LockedError, Strikes
from infra.accounts.sign_in_attempts import FROM_ALL, FROM_ONE_ADDRESS

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FIVE = Limit(5, timedelta(hours=1))


@pytest.mark.parametrize(("attempts", "minutes"), [(4, None), (5, 1), (6, 2), (7, 4), (9, 15), (1000, 15)])
def test_each_further_mistake_locks_longer(attempts: int, minutes: int | None) -> None:
    assert FIVE.lock_until(attempts, NOW) == (None if minutes is None else NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Strikes(), Strikes(1, NOW)),
        (Strikes(3, NOW - timedelta(minutes=59)), Strikes(4, NOW - timedelta(minutes=59))),
        (Strikes(4, NOW), Strikes(5, NOW, NOW + timedelta(minutes=1))),
        (Strikes(5, NOW, NOW), Strikes(6, NOW, NOW + timedelta(minutes=2))),
        (Strikes(9, NOW - timedelta(hours=1), NOW), Strikes(1, NOW)),
        # As an earlier version stored them: without the first one's time.
        (Strikes(7, None, NOW - timedelta(minutes=1)), Strikes(1, NOW)),
    ],
)
def test_an_attempt_is_one_more_of_the_last_hours(before: Strikes, after: Strikes) -> None:
    assert before.one_more(FIVE, NOW) == after


def test_who_is_locked_must_wait() -> None:
    until = NOW + timedelta(seconds=1)
    with pytest.raises(LockedError, match="Try again after 00:00:01 UTC") as locked:
        Strikes(5, NOW, until).one_more(FIVE, NOW)
    assert locked.value.until == until


def test_an_attempt_can_be_taken_back() -> None:
    assert Strikes(4, NOW).one_more(FIVE, NOW).one_less() == Strikes(4, NOW)
    assert Strikes().one_less() == Strikes()


def test_nobody_locks_a_name_for_everybody_from_one_address() -> None:
    strikes, now, tries = Strikes(), NOW, list[datetime]()
    while now < NOW + timedelta(days=2):
        strikes = strikes.one_more(FROM_ONE_ADDRESS, now)
        tries.append(now)
        now = strikes.locked_until or now
    instances = 3  # that Terraform allows unless it is told otherwise
    hours = [sum(begin <= one < begin + FROM_ALL.within for one in tries) for begin in tries]
    assert instances * max(hours) < FROM_ALL.free
