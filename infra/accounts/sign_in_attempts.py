"""Attempts to sign in: counted in Firestore before a password is hashed, and locked after too many.

Three limits, each with its count in ``sign_in_attempts/{hash}``, which all instances share: for a name from one
network, which stops a guesser and not the account's owner elsewhere; for a name from all networks, which stops a
guesser who has many; and for a network over all names, which stops a guesser who tries one password on many names.

Known and unknown names cost the same calls and leave the same documents, so neither the time of an answer nor a lock on
any instance reveals whether a user exists.
"""

import hmac
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any

from cachetools import TTLCache
from google.cloud.firestore import SERVER_TIMESTAMP, DocumentReference, Increment, WriteBatch

from infra.accounts.lock_policy import AttemptCount, LockedError, LockPolicy
from infra.accounts.sign_in_queue import TOO_MANY_SIGN_INS
from infra.accounts.user import NAME, generation_of
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database, Snapshot, fields_of
from infra.firestore.compare_and_set import compare_and_set, put_if_unchanged
from infra.firestore.error_mapping import firestore_errors

COLLECTION = "sign_in_attempts"
NAME_FROM_ONE_NETWORK = LockPolicy(5, timedelta(days=1))
# One network gets 11 attempts for a name in an hour: alone it does not lock the name for all networks.
NAME_FROM_ALL_NETWORKS = LockPolicy(50, timedelta(hours=1))
# Hundreds of people may share one address. Each of them can mistype: right passwords are not counted.
ALL_NAMES_FROM_ONE_NETWORK = LockPolicy(50, timedelta(hours=1))
# For this time after a sign-in, the network of the sign-in is exempt from the lock for all networks.
REMEMBER_NETWORK = timedelta(days=30)
_REMEMBERED_LOCKS = 10_000
_REMEMBER_LOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt. ``fields`` are those of the user, None for an unknown name.

    During a lock for all networks, an attempt from a remembered one is not ``counted_everywhere``.
    """

    name: str
    network: str
    fields: dict[str, Any] | None
    from_network: AttemptCount
    counted_everywhere: bool


@dataclass(frozen=True, slots=True)
class _Stored:
    """The documents of one attempt, as they were read."""

    user: Snapshot | None
    by_name: Snapshot
    by_name_and_network: Snapshot
    by_network: Snapshot

    @property
    def fields(self) -> dict[str, Any] | None:
        return fields_of(self.user) if self.user is not None and self.user.exists else None


class SignInAttempts:
    """The attempts to sign in to one database. ``key`` is the same secret for all instances of the viewer."""

    def __init__(self, database: Database, key: str) -> None:
        self._database = database
        self._key = key.encode()
        self._lock = threading.Lock()
        self._locks: TTLCache[str, datetime] = TTLCache(_REMEMBERED_LOCKS, _REMEMBER_LOCK_SECONDS)

    def refuse_locked(self, network: str) -> None:
        """Raise LockedError (429) if this process has just read that ``network`` is locked. Makes no call."""
        with self._lock:
            until = self._locks.get(network)
        if until and until > datetime.now(UTC):
            raise LockedError(until)

    def begin(self, name: str, network: str) -> Attempt:
        """Count an attempt for the name. Raises LockedError (429), BusyError (503), StoreError, counting nothing.

        Each attempt is written only if no other was written since the counts were read: a hundred concurrent attempts
        do not get a hundred guesses.
        """
        # The same words as for a full queue: both mean that others sign in at the same time.
        return compare_and_set(
            self._database,
            lambda: self._read(name, network),
            lambda stored, batch: self._count(stored, name, network, batch),
            task="counting a sign-in",
            busy=TOO_MANY_SIGN_INS,
        )

    def record_failure(self, attempt: Attempt) -> None:
        """Count a wrong name or password for the network. Raises StoreError."""
        now = datetime.now(UTC)
        count = attempt.from_network.with_attempt(ALL_NAMES_FROM_ONE_NETWORK, now)
        fields = _fields("network", count, now + ALL_NAMES_FROM_ONE_NETWORK.within) | {"network": attempt.network}
        document = self._document("network", "", attempt.network)
        # Without a precondition: the sign-ins of a large office must not wait for each other.
        if count.failed > 1:
            fields["failed"] = Increment(1)
            fields = {name: value for name, value in fields.items() if value is not None}
        with firestore_errors("counting a failed sign-in"):
            document.set(fields, merge=count.failed > 1, retry=None, timeout=WRITE_SECONDS)

    def record_success(self, attempt: Attempt) -> None:
        """Uncount a right password and remember its network. Raises DocumentNotFoundError if the user was removed."""
        now = datetime.now(UTC)
        generation = generation_of(attempt.fields or {})
        batch = self._database.documents.batch()
        batch.update(self._user(attempt.name), {"last_seen_at": SERVER_TIMESTAMP})
        known = _fields("name and network", AttemptCount(), now + REMEMBER_NETWORK, generation)
        known |= {"user": attempt.name, "network": attempt.network, "signed_in_at": now}
        batch.set(self._document("name and network", attempt.name, attempt.network), known)
        # Only this attempt: a sign-in of the owner gives a guesser at other networks no further attempts.
        if attempt.counted_everywhere:
            uncounted = {"failed": Increment(-1), "expire_at": now + NAME_FROM_ALL_NETWORKS.within}
            batch.set(self._document("name", attempt.name, ""), uncounted, merge=True)
        with firestore_errors("signing in"):
            batch.commit(retry=None, timeout=WRITE_SECONDS)

    def _count(self, stored: _Stored, name: str, network: str, batch: WriteBatch) -> Attempt:
        now, fields = datetime.now(UTC), stored.fields
        generation = generation_of(fields or {})
        from_network = _count_of(stored.by_network)
        if from_network.locked_until and from_network.locked_until > now:
            with self._lock:
                self._locks[network] = from_network.locked_until
            raise LockedError(from_network.locked_until)
        here = _count_of(stored.by_name_and_network, generation).with_attempt(NAME_FROM_ONE_NETWORK, now)
        signed_in_at = fields_of(stored.by_name_and_network).get("signed_in_at")
        everywhere = _count_of(stored.by_name, generation)
        counted_everywhere = True
        try:
            everywhere = everywhere.with_attempt(NAME_FROM_ALL_NETWORKS, now)
        except LockedError:
            counted_everywhere = False
            # Guessers elsewhere must not lock the owner out of the network that the owner signs in from.
            if not signed_in_at or now - signed_in_at > REMEMBER_NETWORK:
                raise
        remember_until = signed_in_at + REMEMBER_NETWORK if signed_in_at else now
        # Only the name of a user is written: an unknown one may be a password that was typed into the wrong field.
        user = {"user": name if fields is not None else ""}
        name_fields = _fields("name", everywhere, now + NAME_FROM_ALL_NETWORKS.within, generation) | user
        put_if_unchanged(batch, stored.by_name, name_fields)
        kept_until = max(now + NAME_FROM_ONE_NETWORK.within, remember_until)
        pair = _fields("name and network", here, kept_until, generation) | user
        pair |= {"network": network, "signed_in_at": signed_in_at}
        put_if_unchanged(batch, stored.by_name_and_network, pair)
        return Attempt(name, network, fields, from_network, counted_everywhere)

    def _read(self, name: str, network: str) -> _Stored:
        """Read the user and the counts in one call."""
        # No user can have an invalid name, which could be another path.
        user = self._user(name) if NAME.fullmatch(name) else None
        references = [
            self._document("name", name, ""),
            self._document("name and network", name, network),
            self._document("network", "", network),
        ]
        with firestore_errors("reading a user"):
            wanted = [user, *references] if user else references
            documents = self._database.documents.get_all(wanted, retry=None, timeout=READ_SECONDS)
            found = {document.reference.path: document for document in documents}  # replies come in any order
        by_name, by_both, by_network = (found[reference.path] for reference in references)
        return _Stored(found[user.path] if user else None, by_name, by_both, by_network)

    def _user(self, name: str) -> DocumentReference:
        return self._database.documents.collection("users").document(name)

    def _document(self, scope: str, name: str, network: str) -> DocumentReference:
        text = repr((scope, name, network)).encode(errors="backslashreplace")
        digest = hmac.digest(self._key, text, "sha256").hex()[:32]
        return self._database.documents.collection(COLLECTION).document(digest)


def _count_of(document: Snapshot, generation: str = "") -> AttemptCount:
    """Return the stored count; none if the user has had a new password or role since."""
    fields = fields_of(document)
    if generation_of(fields) != generation:
        return AttemptCount()
    return AttemptCount(int(fields.get("failed") or 0), fields.get("since"), fields.get("locked_until"))


def _fields(scope: str, count: AttemptCount, expire_at: datetime, generation: str = "") -> dict[str, Any]:
    return {
        "scope": scope,
        "failed": count.failed,
        "since": count.since,
        "locked_until": count.locked_until,
        "generation": generation,
        "expire_at": expire_at,
    }


def network_of(address: str) -> str:
    """Return the network that attempts are counted for.

    The /48 of an IPv6 address, the largest prefix that providers usually route to one customer: its 65,536 networks of
    /64 would each have the attempts of one. Otherwise the address itself, because the neighbours of an IPv4 address are
    often other customers; empty if it is invalid.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 80 << 80))
    return str(parsed)
