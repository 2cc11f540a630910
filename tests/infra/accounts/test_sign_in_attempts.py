"""Lockouts: who guesses locks out himself; many who guess together lock the name; a stranger's name locks the same."""

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
    """Lock a name from as many addresses as it takes; return until when."""
    for number in range(FROM_ALL_ADDRESSES.free):
        attempts.count(name, f"a network, {number}")
    with pytest.raises(LockedError) as locked:
        attempts.count(name, "another network")
    return locked.value.until


def test_wrong_passwords_lock_and_the_right_one_must_wait(users: UserStore, ana: str) -> None:
    assert [guess(users, ana) for _ in range(FROM_ONE_ADDRESS.free)] == [SignInError] * FROM_ONE_ADDRESS.free
    with pytest.raises(LockedError) as locked:
        users.authenticate(ana, PASSWORD, address=ELSEWHERE)
    assert locked.value.until > datetime.now(UTC)


def test_who_guesses_locks_out_nobody_else(users: UserStore, ana: str) -> None:
    for _ in range(FROM_ONE_ADDRESS.free):
        guess(users, ana)
    assert guess(users, ana) is LockedError
    assert users.authenticate(ana, PASSWORD, address=HOME).name == ana
    assert guess(users, ana) is LockedError, "somebody else's right password lifts no lock"


def test_an_unknown_name_locks_like_a_known_one(users: UserStore, name: str) -> None:
    assert [guess(users, name) for _ in range(FROM_ONE_ADDRESS.free)] == [SignInError] * FROM_ONE_ADDRESS.free
    assert guess(users, name) is LockedError
    assert guess(users, name, HOME) is SignInError


def test_a_new_password_lifts_every_lock_of_the_name(users: UserStore, database: Database, ana: str) -> None:
    for _ in range(FROM_ONE_ADDRESS.free):
        guess(users, ana, HOME)
    assert guess(users, ana, HOME) is LockedError
    UserStore(database).set_password(ana, "a new horse battery", by="another instance")
    assert users.authenticate(ana, "a new horse battery", address=HOME).name == ana


def test_many_addresses_lock_a_name_for_all_on_every_instance(database: Database, ana: str) -> None:
    until = locked_for_all(SignInAttempts(database), ana)
    with pytest.raises(LockedError) as locked:
        SignInAttempts(database).count(ana, "one more network")
    assert locked.value.until == until > datetime.now(UTC)


def test_many_addresses_lock_an_unknown_name_for_all(database: Database, name: str) -> None:
    assert locked_for_all(SignInAttempts(database), name) > datetime.now(UTC)


def test_whom_others_lock_out_loses_no_attempt_of_his_own(database: Database, ana: str) -> None:
    attempts = SignInAttempts(database)
    until = locked_for_all(attempts, ana)
    for _ in range(2 * FROM_ONE_ADDRESS.free):
        with pytest.raises(LockedError) as locked:
            attempts.count(ana, HOME)
        assert locked.value.until == until


def test_many_guesses_at_once_are_not_many_guesses(users: UserStore, database: Database, ana: str) -> None:
    with ThreadPoolExecutor(20) as pool:
        outcomes = Counter(pool.map(lambda _: guess(users, ana), range(20)))
    assert 1 <= outcomes[SignInError] <= FROM_ONE_ADDRESS.free
    counted = database.documents.collection("users").document(ana).get().get("failed_logins")
    assert counted == outcomes[SignInError], "who was refused a place made no guess"


def test_signing_in_forgets_earlier_mistakes(users: UserStore, database: Database, ana: str) -> None:
    for _ in range(2):
        for _ in range(FROM_ONE_ADDRESS.free - 1):
            guess(users, ana, HOME)
        users.authenticate(ana, PASSWORD, address=HOME)
    assert database.documents.collection("users").document(ana).get().get("failed_logins") == 0


def test_what_is_too_long_for_a_password_is_no_attempt(users: UserStore, ana: str) -> None:
    for _ in range(2 * FROM_ONE_ADDRESS.free):
        with pytest.raises(SignInError):
            users.authenticate(ana, "x" * (MAX_BYTES + 1), address=HOME)
    users.authenticate(ana, PASSWORD, address=HOME)


def test_what_is_remembered_is_bounded() -> None:
    tally = AttemptCounter(LockPolicy(2, timedelta(hours=1)), max_keys=3)
    for key in ("a", "b", "c", "a", "d"):
        tally.count(key)
    assert len(tally) == 3
    with pytest.raises(LockedError):
        tally.count("a")
    tally.count("b")  # forgotten: it was counted the longest time ago


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
def test_one_persons_addresses_are_one_network(address: str, network: str) -> None:
    assert network_of(address) == network
