"""Locks that grow with each failed attempt, up to a maximum."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.accounts.lock_policy import AttemptCount, LockedError, LockPolicy
from infra.accounts.sign_in_attempts import NAME_FROM_ALL_NETWORKS, NAME_FROM_ONE_NETWORK

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FIVE = LockPolicy(5, timedelta(hours=1))


@pytest.mark.parametrize(("attempts", "minutes"), [(4, None), (5, 1), (6, 2), (7, 4), (9, 15), (1000, 15)])
def test_each_further_failure_locks_longer(attempts: int, minutes: int | None) -> None:
    assert FIVE.lock_until(attempts, NOW) == (None if minutes is None else NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (AttemptCount(), AttemptCount(1, NOW)),
        (AttemptCount(3, NOW - timedelta(minutes=59)), AttemptCount(4, NOW - timedelta(minutes=59))),
        (AttemptCount(4, NOW), AttemptCount(5, NOW, NOW + timedelta(minutes=1))),
        (AttemptCount(5, NOW, NOW), AttemptCount(6, NOW, NOW + timedelta(minutes=2))),
        (AttemptCount(9, NOW - timedelta(hours=1), NOW), AttemptCount(1, NOW)),
        # As an earlier version stored it: without the time of the first attempt.
        (AttemptCount(7, None, NOW - timedelta(minutes=1)), AttemptCount(1, NOW)),
    ],
)
def test_attempt_is_added_within_the_period(before: AttemptCount, after: AttemptCount) -> None:
    assert before.with_attempt(FIVE, NOW) == after


def test_attempt_while_locked_is_refused() -> None:
    until = NOW + timedelta(seconds=1)
    with pytest.raises(LockedError, match="Try again after 00:00:01 UTC") as locked:
        AttemptCount(5, NOW, until).with_attempt(FIVE, NOW)
    assert locked.value.until == until


def test_one_address_cannot_lock_a_name_for_all_addresses() -> None:
    count, now, attempts = AttemptCount(), NOW, list[datetime]()
    while now < NOW + timedelta(days=2):
        count = count.with_attempt(NAME_FROM_ONE_NETWORK, now)
        attempts.append(now)
        now = count.locked_until or now
    instances = 3  # Terraform's default maximum
    hours = [sum(begin <= at < begin + NAME_FROM_ALL_NETWORKS.within for at in attempts) for begin in attempts]
    assert instances * max(hours) < NAME_FROM_ALL_NETWORKS.free
