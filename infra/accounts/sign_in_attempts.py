"""Attempts to sign in: counted before a password is hashed, and locked after too many.

The strict limit is for a name from one address: who guesses a password locks out himself, not the one whose it is. A
looser one, for a name from all addresses together, bounds a guesser who has many of them.

All together are counted in ``users/{name}``, by all instances. One address is counted in this process: another instance
allows as many again, which the looser limit bounds. A stranger is counted in this process, too, by the same two rules:
nobody learns from a lock whether there is such a user.
"""

import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition, NotFound
from google.cloud.firestore import LastUpdateOption

from infra.accounts.lock_policy import AttemptCount, LockPolicy
from infra.accounts.sign_in_slots import TOO_MANY_SIGN_INS
from infra.accounts.user import User, generation_of
from infra.errors import BusyError, SubscopeError
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database
from infra.firestore.error_mapping import firestore_errors

FROM_ONE_ADDRESS = LockPolicy(5, timedelta(days=1))
# One address gets 11 attempts in an hour from each instance: alone it does not lock a name for everybody.
FROM_ALL_ADDRESSES = LockPolicy(50, timedelta(hours=1))
NO_ATTEMPTS: dict[str, Any] = {"failed_logins": 0, "failed_since": None, "locked_until": None}
_REMEMBERED = 10_000
_TRIES = 10


class AttemptCounter:
    """Attempts by key, in this process: of the keys that were counted last."""

    def __init__(self, limit: LockPolicy, most: int = _REMEMBERED) -> None:
        self._limit, self._most = limit, most
        self._lock = threading.Lock()
        self._strikes: OrderedDict[Hashable, AttemptCount] = OrderedDict()

    def __len__(self) -> int:
        return len(self._strikes)

    def count(self, key: Hashable) -> None:
        """Count an attempt. Raises LockedError (429)."""
        self._replace(key, lambda before: before.with_attempt(self._limit, datetime.now(UTC)))

    def take_back(self, key: Hashable) -> None:
        """Count an attempt less: there was none in the end."""
        self._replace(key, AttemptCount.without_last_attempt)

    def forget(self, key: Hashable) -> None:
        """Count from the beginning."""
        with self._lock:
            self._strikes.pop(key, None)

    def _replace(self, key: Hashable, change: Callable[[AttemptCount], AttemptCount]) -> None:
        with self._lock:
            self._strikes[key] = change(self._strikes.get(key, AttemptCount()))
            self._strikes.move_to_end(key)
            if len(self._strikes) > self._most:
                self._strikes.popitem(last=False)


class SignInAttempts:
    """The attempts to sign in to one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._from_one_address = AttemptCounter(FROM_ONE_ADDRESS)
        self._strangers = AttemptCounter(FROM_ALL_ADDRESSES)

    def count(self, name: str, network: str) -> dict[str, Any] | None:
        """Count an attempt and return the user's fields, None for a stranger. ``name`` is one that a user can have.

        Raises LockedError (429), BusyError (503), StoreError; then nothing is counted.
        """
        user = self._snapshot(name)
        # With the generation, so that a new password lifts the locks of every instance.
        key = (name, generation_of(user.to_dict()) if user else "", network)
        self._from_one_address.count(key)
        try:
            return self._count_from_all(name, user)
        except SubscopeError:
            self._from_one_address.take_back(key)
            raise

    def forget(self, user: User, network: str) -> None:
        """Forget what was counted here from this address: its password was right."""
        self._from_one_address.forget((user.name, user.generation, network))

    def _count_from_all(self, name: str, user: Any) -> dict[str, Any] | None:
        """Count it only if no other was since the user was read: a hundred at once are not a hundred guesses."""
        for _ in range(_TRIES):
            if user is None:
                self._strangers.count(name)
                return None
            fields: dict[str, Any] = user.to_dict()
            if self._write(user, _strikes_of(fields).with_attempt(FROM_ALL_ADDRESSES, datetime.now(UTC))):
                return fields
            time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - spreads retries, keeps no secret
            user = self._snapshot(name)
        # In the words for everybody: it happens to users alone.
        raise BusyError(TOO_MANY_SIGN_INS)

    def _write(self, user: Any, strikes: AttemptCount) -> bool:
        """Write them, unless the user's document was written since; tell whether they were written."""
        with firestore_errors("counting a sign-in"):
            try:
                user.reference.update(
                    {
                        "failed_logins": strikes.failed,
                        "failed_since": strikes.since,
                        "locked_until": strikes.locked_until,
                    },
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


def _strikes_of(fields: dict[str, Any]) -> AttemptCount:
    """The strikes in a user's fields."""
    return AttemptCount(int(fields.get("failed_logins") or 0), fields.get("failed_since"), fields.get("locked_until"))


def network_of(address: str) -> str:
    """Whose an address is: itself, or the /64 of an IPv6 address, all of which one person has; empty if it is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)
