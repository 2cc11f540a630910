"""What failing again and again brings: locks that grow, and an end to them."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.accounts.lock_policy import AttemptCount, LockedError, LockPolicy
from infra.accounts.sign_in_attempts import FROM_ALL_ADDRESSES, FROM_ONE_ADDRESS

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FIVE = LockPolicy(5, timedelta(hours=1))


@pytest.mark.parametrize(("attempts", "minutes"), [(4, None), (5, 1), (6, 2), (7, 4), (9, 15), (1000, 15)])
def test_each_further_mistake_locks_longer(attempts: int, minutes: int | None) -> None:
    assert FIVE.lock_until(attempts, NOW) == (None if minutes is None else NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (AttemptCount(), AttemptCount(1, NOW)),
        (AttemptCount(3, NOW - timedelta(minutes=59)), AttemptCount(4, NOW - timedelta(minutes=59))),
        (AttemptCount(4, NOW), AttemptCount(5, NOW, NOW + timedelta(minutes=1))),
        (AttemptCount(5, NOW, NOW), AttemptCount(6, NOW, NOW + timedelta(minutes=2))),
        (AttemptCount(9, NOW - timedelta(hours=1), NOW), AttemptCount(1, NOW)),
        # As an earlier version stored them: without the first one's time.
        (AttemptCount(7, None, NOW - timedelta(minutes=1)), AttemptCount(1, NOW)),
    ],
)
def test_an_attempt_is_one_more_of_the_last_hours(before: AttemptCount, after: AttemptCount) -> None:
    assert before.with_attempt(FIVE, NOW) == after


def test_who_is_locked_must_wait() -> None:
    until = NOW + timedelta(seconds=1)
    with pytest.raises(LockedError, match="Try again after 00:00:01 UTC") as locked:
        AttemptCount(5, NOW, until).with_attempt(FIVE, NOW)
    assert locked.value.until == until


def test_an_attempt_can_be_taken_back() -> None:
    assert AttemptCount(4, NOW).with_attempt(FIVE, NOW).without_last_attempt() == AttemptCount(4, NOW)
    assert AttemptCount().without_last_attempt() == AttemptCount()


def test_nobody_locks_a_name_for_everybody_from_one_address() -> None:
    strikes, now, tries = AttemptCount(), NOW, list[datetime]()
    while now < NOW + timedelta(days=2):
        strikes = strikes.with_attempt(FROM_ONE_ADDRESS, now)
        tries.append(now)
        now = strikes.locked_until or now
    instances = 3  # that Terraform allows unless it is told otherwise
    hours = [sum(begin <= one < begin + FROM_ALL_ADDRESSES.within for one in tries) for begin in tries]
    assert instances * max(hours) < FROM_ALL_ADDRESSES.free
