"""How many failed sign-ins are free within a period, and the lock after each further one. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.errors import SubscopeError

MIN_LOCK = timedelta(minutes=1)
MAX_LOCK = timedelta(minutes=15)


class LockedError(SubscopeError):
    """Too many wrong passwords. ``until`` is aware UTC."""

    status = 429

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Too many attempts. Try again after {until:%H:%M:%S} UTC.")
        self.until = until


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """``free`` attempts cost nothing ``within`` the period from the first one; each further one locks for longer."""

    free: int
    within: timedelta

    def lock_until(self, attempts: int, now: datetime) -> datetime | None:
        """Return the end of the lock if attempt number ``attempts`` fails; None while attempts are free."""
        if attempts < self.free:
            return None
        lock = MIN_LOCK * (1 << min(attempts - self.free, 10))
        return now + min(lock, MAX_LOCK)


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """The attempts since the first one, and the lock after the last one. Times are aware UTC."""

    failed: int = 0
    since: datetime | None = None
    locked_until: datetime | None = None

    def with_attempt(self, policy: LockPolicy, now: datetime) -> "AttemptCount":
        """Return the count with an attempt made now. Raises LockedError while locked."""
        if self.locked_until and self.locked_until > now:
            raise LockedError(self.locked_until)
        if self.since is None or now - self.since >= policy.within:
            return AttemptCount(1, now)
        return AttemptCount(self.failed + 1, self.since, policy.lock_until(self.failed + 1, now))
