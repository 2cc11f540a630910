"""Attempts to sign in: counted before a password is hashed, and locked after too many.

The strict limit applies per name and address, so that a guesser locks out their own address and not the account's
owner. A looser limit, per name from all addresses together, bounds a guesser who has many of them.

The count per name is kept in ``users/{name}`` and shared by all instances. The count per address is kept in this
process: another instance allows the same number again, which the looser limit bounds. An unknown name is counted in
this process by the same two rules, so that a lock does not reveal whether the user exists.
"""

import threading
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any

from cachetools import LRUCache
from google.cloud.firestore import LastUpdateOption, WriteBatch

from infra.accounts.lock_policy import AttemptCount, LockPolicy
from infra.accounts.sign_in_slots import TOO_MANY_SIGN_INS
from infra.accounts.user import User, generation_of
from infra.errors import SubscopeError
from infra.firestore.client import READ_SECONDS, Database, Snapshot, fields_of
from infra.firestore.compare_and_set import compare_and_set
from infra.firestore.error_mapping import firestore_errors

FROM_ONE_ADDRESS = LockPolicy(5, timedelta(days=1))
# One address gets 11 attempts in an hour from each instance: alone it does not lock a name for all addresses.
FROM_ALL_ADDRESSES = LockPolicy(50, timedelta(hours=1))
NO_ATTEMPTS: dict[str, Any] = {"failed_logins": 0, "failed_since": None, "locked_until": None}
_MAX_KEYS = 10_000


class AttemptCounter:
    """Attempts by key, in this process. Keeps the keys that were counted last."""

    def __init__(self, policy: LockPolicy, max_keys: int = _MAX_KEYS) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._counts: LRUCache[Hashable, AttemptCount] = LRUCache(max_keys)

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, key: Hashable) -> None:
        """Count an attempt. Raises LockedError (429)."""
        self._replace(key, lambda before: before.with_attempt(self._policy, datetime.now(UTC)))

    def take_back(self, key: Hashable) -> None:
        """Uncount an attempt that compared no password."""
        self._replace(key, AttemptCount.without_last_attempt)

    def forget(self, key: Hashable) -> None:
        """Count from zero again."""
        with self._lock:
            self._counts.pop(key, None)

    def _replace(self, key: Hashable, change: Callable[[AttemptCount], AttemptCount]) -> None:
        with self._lock:
            self._counts[key] = change(self._counts.get(key, AttemptCount()))


class SignInAttempts:
    """The attempts to sign in to one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._from_one_address = AttemptCounter(FROM_ONE_ADDRESS)
        self._unknown_names = AttemptCounter(FROM_ALL_ADDRESSES)

    def count(self, name: str, network: str) -> dict[str, Any] | None:
        """Count an attempt and return the user's fields, None for an unknown name. ``name`` has a name's form.

        Raises LockedError (429), BusyError (503), StoreError; then nothing is counted.
        """
        user = self._document(name)
        # With the generation, so that a new password lifts the locks of every instance.
        key = (name, generation_of(fields_of(user)) if user else "", network)
        self._from_one_address.count(key)
        try:
            fields = self._count_from_all(name, user)
            if fields is None:
                self._unknown_names.count(name)
        except SubscopeError:
            self._from_one_address.take_back(key)
            raise
        return fields

    def forget(self, user: User, network: str) -> None:
        """Forget the attempts counted here from this address: the password was right."""
        self._from_one_address.forget((user.name, user.generation, network))

    def _count_from_all(self, name: str, user: Snapshot | None) -> dict[str, Any] | None:
        """Count in the user's document, which starts as ``user``; return its fields, None if there is no user.

        Each attempt is written only if no other was written since the user was read: a hundred concurrent attempts do
        not get a hundred guesses.
        """
        first = [user]

        def read() -> Snapshot | None:
            return first.pop() if first else self._document(name)

        def change(document: Snapshot | None, batch: WriteBatch) -> dict[str, Any] | None:
            if document is None:
                return None
            fields = fields_of(document)
            count = _attempt_count(fields).with_attempt(FROM_ALL_ADDRESSES, datetime.now(UTC))
            counted = {
                "failed_logins": count.failed,
                "failed_since": count.since,
                "locked_until": count.locked_until,
            }
            batch.update(document.reference, counted, LastUpdateOption(document.update_time))
            return fields

        # The same words as for a full house: only known names can come to this, and the text must not reveal it.
        return compare_and_set(self._database, read, change, task="counting a sign-in", busy=TOO_MANY_SIGN_INS)

    def _document(self, name: str) -> Snapshot | None:
        """Read the user's document; None if there is no such user."""
        with firestore_errors("reading a user"):
            user = self._database.documents.collection("users").document(name).get(retry=None, timeout=READ_SECONDS)
        return user if user.exists else None


def _attempt_count(fields: dict[str, Any]) -> AttemptCount:
    return AttemptCount(int(fields.get("failed_logins") or 0), fields.get("failed_since"), fields.get("locked_until"))


def network_of(address: str) -> str:
    """Return the rate-limit key of an address.

    The /64 of an IPv6 address (usually one customer), otherwise the address itself; empty if it is invalid.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
