"""Attempts to sign in: counted before a password is hashed, and locked after too many in a row.

A user's are counted in ``users/{name}``, a stranger's in this process, by the same rule: nobody learns from a lock
whether there is such a user.
"""

import random
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition, NotFound
from google.cloud.firestore import LastUpdateOption

from infra.errors import BusyError, SubscopeError
from infra.firestore.border import firestore_errors
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database

FREE_ATTEMPTS = 5
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(minutes=15)
_REMEMBERED_STRANGERS = 10_000
_TRIES = 10


class LockedError(SubscopeError):
    """Too many wrong passwords. ``until`` is aware UTC."""

    status = 429

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Too many attempts. Try again after {until:%H:%M:%S} UTC.")
        self.until = until


class Attempts:
    """The attempts to sign in to one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._strangers: OrderedDict[str, tuple[int, datetime | None]] = OrderedDict()

    def count(self, name: str) -> dict[str, Any] | None:
        """Count an attempt and return the user's fields, None for a stranger.

        It is written only if nobody else's was counted since the user was read: a hundred at once are not a hundred
        guesses. Raises LockedError (429), StoreError.
        """
        for _ in range(_TRIES):
            now = datetime.now(UTC)
            user = self._snapshot(name)
            if user is None:
                self.count_stranger(name)
                return None
            fields: dict[str, Any] = user.to_dict()
            strikes = _strikes_after(fields.get("failed_logins"), fields.get("locked_until"), now)
            if self._write_strikes(user, strikes):
                return fields
            time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - spreads retries, keeps no secret
        raise BusyError(f"Too many attempts to sign in as {name} at this moment. Try again in a few seconds.")

    def count_stranger(self, name: str) -> None:
        """Count an attempt with a name that nobody has. Raises LockedError (429)."""
        self._strangers[name] = _strikes_after(*self._strangers.get(name, (0, None)), datetime.now(UTC))
        while len(self._strangers) > _REMEMBERED_STRANGERS:
            self._strangers.popitem(last=False)

    def _write_strikes(self, user: Any, strikes: tuple[int, datetime | None]) -> bool:
        failed, locked_until = strikes
        with firestore_errors("counting a sign-in"):
            try:
                user.reference.update(
                    {"failed_logins": failed, "locked_until": locked_until},
                    LastUpdateOption(user.update_time),
                    retry=None,
                    timeout=WRITE_SECONDS,
                )
            except (FailedPrecondition, Aborted, NotFound):
                return False
        return True

    def _snapshot(self, name: str) -> Any:
        """The user's document; None when it is not there."""
        with firestore_errors("reading a user"):
            found = self._database.documents.collection("users").document(name).get(retry=None, timeout=READ_SECONDS)
        return found if found.exists else None


def _strikes_after(failed: Any, locked_until: Any, now: datetime) -> tuple[int, datetime | None]:
    """How often in a row it failed, this attempt counted, and the lock that brings. Raises LockedError while locked."""
    if locked_until and locked_until > now:
        raise LockedError(locked_until)
    attempts = int(failed or 0) + 1
    return attempts, lock_until(attempts, now)


def lock_until(attempts: int, now: datetime) -> datetime | None:
    """When the lock ends that the ``attempts``-th wrong password in a row brings; None while attempts are free."""
    if attempts < FREE_ATTEMPTS:
        return None
    lock = FIRST_LOCK * (1 << min(attempts - FREE_ATTEMPTS, 10))
    return now + min(lock, LONGEST_LOCK)
