"""Locks: per name and address, per name from all addresses, and the same for unknown names."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from infra.accounts.lock_policy import LockedError, LockPolicy
from infra.accounts.passwords import MAX_BYTES
from infra.accounts.sign_in_attempts import (
    FROM_ALL_ADDRESSES,
    FROM_ONE_ADDRESS,
    AttemptCounter,
    SignInAttempts,
    network_of,
)
from infra.accounts.user_store import SignInError, UserStore
from infra.errors import BusyError
from infra.firestore.client import Database
from tests.support.accounts import HOME, PASSWORD

ELSEWHERE = "198.51.100.1"


def guess(users: UserStore, name: str, address: str = ELSEWHERE) -> type[Exception]:
    """Try a wrong password; return how it was refused."""
    with pytest.raises((SignInError, LockedError, BusyError)) as refused:
        users.authenticate(name, "wrong horse battery", address=address)
    return refused.type


def locked_for_all(attempts: SignInAttempts, name: str) -> datetime:
    """Lock a name from many addresses; return the end of the lock."""
    for number in range(FROM_ALL_ADDRESSES.free):
        attempts.count(name, f"a network, {number}")
    with pytest.raises(LockedError) as locked:
        attempts.count(name, "another network")
    return locked.value.until


def test_wrong_passwords_lock_out_the_right_one(users: UserStore, viewer: str) -> None:
    assert [guess(users, viewer) for _ in range(FROM_ONE_ADDRESS.free)] == [SignInError] * FROM_ONE_ADDRESS.free
    with pytest.raises(LockedError) as locked:
        users.authenticate(viewer, PASSWORD, address=ELSEWHERE)
    assert locked.value.until > datetime.now(UTC)


def test_guesser_locks_only_their_own_address(users: UserStore, viewer: str) -> None:
    for _ in range(FROM_ONE_ADDRESS.free):
        guess(users, viewer)
    assert guess(users, viewer) is LockedError
    assert users.authenticate(viewer, PASSWORD, address=HOME).name == viewer
    assert guess(users, viewer) is LockedError, "a sign-in from another address lifts no lock"


def test_unknown_name_locks_like_a_known_one(users: UserStore, name: str) -> None:
    assert [guess(users, name) for _ in range(FROM_ONE_ADDRESS.free)] == [SignInError] * FROM_ONE_ADDRESS.free
    assert guess(users, name) is LockedError
    assert guess(users, name, HOME) is SignInError


def test_new_password_lifts_all_locks_of_the_name(users: UserStore, database: Database, viewer: str) -> None:
    for _ in range(FROM_ONE_ADDRESS.free):
        guess(users, viewer, HOME)
    assert guess(users, viewer, HOME) is LockedError
    UserStore(database).set_password(viewer, "a new horse battery", by="another instance")
    assert users.authenticate(viewer, "a new horse battery", address=HOME).name == viewer


def test_many_addresses_lock_a_name_on_every_instance(database: Database, viewer: str) -> None:
    until = locked_for_all(SignInAttempts(database), viewer)
    with pytest.raises(LockedError) as locked:
        SignInAttempts(database).count(viewer, "one more network")
    assert locked.value.until == until > datetime.now(UTC)


def test_many_addresses_lock_an_unknown_name(database: Database, name: str) -> None:
    assert locked_for_all(SignInAttempts(database), name) > datetime.now(UTC)


def test_attempt_refused_by_the_lock_of_others_is_not_counted(database: Database, viewer: str) -> None:
    attempts = SignInAttempts(database)
    until = locked_for_all(attempts, viewer)
    for _ in range(2 * FROM_ONE_ADDRESS.free):
        with pytest.raises(LockedError) as locked:
            attempts.count(viewer, HOME)
        assert locked.value.until == until


def test_concurrent_guesses_are_limited_like_successive_ones(users: UserStore, database: Database, viewer: str) -> None:
    with ThreadPoolExecutor(20) as pool:
        outcomes = Counter(pool.map(lambda _: guess(users, viewer), range(20)))
    assert 1 <= outcomes[SignInError] <= FROM_ONE_ADDRESS.free
    counted = database.documents.collection("users").document(viewer).get().get("failed_logins")
    assert counted == outcomes[SignInError], "an attempt without a slot is not counted"


def test_sign_in_resets_the_count(users: UserStore, database: Database, viewer: str) -> None:
    for _ in range(2):
        for _ in range(FROM_ONE_ADDRESS.free - 1):
            guess(users, viewer, HOME)
        users.authenticate(viewer, PASSWORD, address=HOME)
    assert database.documents.collection("users").document(viewer).get().get("failed_logins") == 0


def test_too_long_password_is_not_counted(users: UserStore, viewer: str) -> None:
    for _ in range(2 * FROM_ONE_ADDRESS.free):
        with pytest.raises(SignInError):
            users.authenticate(viewer, "x" * (MAX_BYTES + 1), address=HOME)
    users.authenticate(viewer, PASSWORD, address=HOME)


def test_counter_evicts_the_least_recent_key() -> None:
    tally = AttemptCounter(LockPolicy(2, timedelta(hours=1)), max_keys=3)
    for key in ("a", "b", "c", "a", "d"):
        tally.count(key)
    assert len(tally) == 3
    with pytest.raises(LockedError):
        tally.count("a")
    tally.count("b")  # evicted: it was counted least recently


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("x" * 65_536, ""),
    ],
)
def test_addresses_of_one_customer_are_one_network(address: str, network: str) -> None:
    assert network_of(address) == network
