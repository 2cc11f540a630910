"""How often somebody failed within a time, and the lock that brings. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.errors import SubscopeError

FIRST_LOCK = timedelta(minutes=1)
MAX_LOCK = timedelta(minutes=15)


class LockedError(SubscopeError):
    """Too many wrong passwords. ``until`` is aware UTC."""

    status = 429

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Too many attempts. Try again after {until:%H:%M:%S} UTC.")
        self.until = until


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """So many attempts are free ``within`` a time from the first one on; each further one locks, and longer."""

    free: int
    within: timedelta

    def lock_until(self, attempts: int, now: datetime) -> datetime | None:
        """When the lock ends that the ``attempts``-th attempt brings if it fails; None while attempts are free."""
        if attempts < self.free:
            return None
        lock = FIRST_LOCK * (1 << min(attempts - self.free, 10))
        return now + min(lock, MAX_LOCK)


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """The attempts since a time, and the lock of the last one. Times are aware UTC."""

    failed: int = 0
    since: datetime | None = None
    locked_until: datetime | None = None

    def with_attempt(self, limit: LockPolicy, now: datetime) -> "AttemptCount":
        """With an attempt at this moment. Raises LockedError while locked."""
        if self.locked_until and self.locked_until > now:
            raise LockedError(self.locked_until)
        if self.since is None or now - self.since >= limit.within:
            return AttemptCount(1, now)
        return AttemptCount(self.failed + 1, self.since, limit.lock_until(self.failed + 1, now))

    def without_last_attempt(self) -> "AttemptCount":
        """Without the last attempt and its lock."""
        return AttemptCount(max(0, self.failed - 1), self.since)
