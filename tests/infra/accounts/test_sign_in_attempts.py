"""Locks: per name and network, per name from all networks, per network for all names; the same for unknown names."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import pytest
from google.cloud.firestore import FieldFilter

from infra.accounts.lock_policy import LockedError
from infra.accounts.password_rules import MAX_BYTES
from infra.accounts.sign_in import SignInError
from infra.accounts.sign_in_attempts import (
    ALL_NAMES_FROM_ONE_NETWORK,
    NAME_FROM_ALL_NETWORKS,
    NAME_FROM_ONE_NETWORK,
    SignInAttempts,
    network_of,
)
from infra.accounts.user_store import UserStore
from infra.errors import BusyError
from infra.firestore.client import Database
from infra.settings import ConsoleSettings
from tests.support.accounts import PASSWORD, new_address
from tests.support.firestore.fault_proxy import FaultProxy


@pytest.fixture
def home() -> str:
    """An address of the account's owner."""
    return new_address()


@pytest.fixture
def elsewhere() -> str:
    """An address of a guesser."""
    return new_address()


def guess(users: UserStore, name: str, address: str) -> type[Exception]:
    """Try a wrong password; return how it was refused."""
    with pytest.raises((SignInError, LockedError, BusyError)) as refused:
        users.authenticate(name, "wrong horse battery", address=address)
    return refused.type


def fail(attempts: SignInAttempts, name: str, network: str) -> None:
    """Count a wrong password without hashing one."""
    attempts.record_failure(attempts.begin(name, network))


def locked_for_all(attempts: SignInAttempts, name: str) -> datetime:
    """Lock a name from many networks; return the end of the lock."""
    for _ in range(NAME_FROM_ALL_NETWORKS.free):
        fail(attempts, name, new_address())
    with pytest.raises(LockedError) as locked:
        fail(attempts, name, new_address())
    return locked.value.until


def counted(database: Database, field: str, value: str, scope: str) -> list[dict[str, Any]]:
    found = database.documents.collection("sign_in_attempts").where(filter=FieldFilter(field, "==", value)).stream()
    return [fields for one in found if (fields := one.to_dict() or {})["scope"] == scope]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:5::1", "2001:db8:5::"),
        ("2001:db8:5:ffff:1:2:3:4", "2001:db8:5::"),
        ("2001:db8:6::1", "2001:db8:6::"),
        ("fe80::1%eth0", "fe80::"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_network_is_an_ipv4_address_or_the_48_bits_of_one_customer(address: str, network: str) -> None:
    assert network_of(address) == network


def test_wrong_passwords_lock_out_the_right_one(users: UserStore, viewer: str, elsewhere: str) -> None:
    free = NAME_FROM_ONE_NETWORK.free
    assert [guess(users, viewer, elsewhere) for _ in range(free)] == [SignInError] * free
    with pytest.raises(LockedError) as locked:
        users.authenticate(viewer, PASSWORD, address=elsewhere)
    assert locked.value.until > datetime.now(UTC)


def test_guesser_locks_only_their_own_address(users: UserStore, viewer: str, home: str, elsewhere: str) -> None:
    for _ in range(NAME_FROM_ONE_NETWORK.free):
        guess(users, viewer, elsewhere)
    assert guess(users, viewer, elsewhere) is LockedError
    assert users.authenticate(viewer, PASSWORD, address=home).name == viewer
    assert guess(users, viewer, elsewhere) is LockedError, "a sign-in from another address lifts no lock"


def test_two_instances_lock_known_and_unknown_names_alike(
    users: UserStore, database: Database, viewer: str, name: str, home: str, elsewhere: str
) -> None:
    instances = (SignInAttempts(database, ""), SignInAttempts(database, ""))
    for guessed in (viewer, f"no-{name}"):
        for attempts in islice(cycle(instances), NAME_FROM_ONE_NETWORK.free):
            fail(attempts, guessed, network_of(elsewhere))
        for attempts in instances:
            with pytest.raises(LockedError):
                attempts.begin(guessed, network_of(elsewhere))
        assert guess(users, guessed, elsewhere) is LockedError
        assert guess(users, guessed, home) is SignInError


def test_new_password_lifts_all_locks_of_the_name(users: UserStore, database: Database, viewer: str, home: str) -> None:
    for _ in range(NAME_FROM_ONE_NETWORK.free):
        fail(SignInAttempts(database, ""), viewer, network_of(home))
    assert guess(users, viewer, home) is LockedError
    UserStore(database).set_password(viewer, "a new horse battery", by="another instance")
    assert users.authenticate(viewer, "a new horse battery", address=home).name == viewer


def test_many_addresses_lock_a_name_on_every_instance(database: Database, viewer: str) -> None:
    until = locked_for_all(SignInAttempts(database, ""), viewer)
    with pytest.raises(LockedError) as locked:
        SignInAttempts(database, "").begin(viewer, new_address())
    assert locked.value.until == until > datetime.now(UTC)


def test_many_addresses_lock_an_unknown_name(database: Database, name: str) -> None:
    assert locked_for_all(SignInAttempts(database, ""), name) > datetime.now(UTC)


def test_lock_for_all_networks_spares_those_that_the_owner_signed_in_from(
    database: Database, viewer: str, home: str
) -> None:
    attempts = SignInAttempts(database, "")
    attempts.record_success(attempts.begin(viewer, home))
    until = locked_for_all(attempts, viewer)
    for _ in range(3):
        attempts.record_success(attempts.begin(viewer, home))
    with pytest.raises(LockedError) as locked:
        attempts.begin(viewer, new_address())
    assert locked.value.until == until
    (found,) = counted(database, "user", viewer, "name")
    assert found["failed"] == NAME_FROM_ALL_NETWORKS.free, "sign-ins of the owner give guessers elsewhere no attempts"
    for _ in range(NAME_FROM_ONE_NETWORK.free):
        fail(attempts, viewer, home)
    with pytest.raises(LockedError):
        attempts.begin(viewer, home)


def test_attempt_refused_by_the_lock_of_others_is_not_counted(database: Database, viewer: str, home: str) -> None:
    attempts = SignInAttempts(database, "")
    until = locked_for_all(attempts, viewer)
    for _ in range(2 * NAME_FROM_ONE_NETWORK.free):
        with pytest.raises(LockedError) as locked:
            attempts.begin(viewer, home)
        assert locked.value.until == until


def test_one_password_for_many_names_locks_the_network_on_every_instance(
    users: UserStore, database: Database, viewer: str, name: str, home: str, elsewhere: str
) -> None:
    attempts = SignInAttempts(database, "")
    for number in range(ALL_NAMES_FROM_ONE_NETWORK.free):
        fail(attempts, f"{name}/{number}" if number % 2 else f"{name}-{number}", network_of(elsewhere))
    with pytest.raises(LockedError):
        SignInAttempts(database, "").begin(f"another-{name}", network_of(elsewhere))
    assert guess(users, viewer, elsewhere) is LockedError
    assert users.authenticate(viewer, PASSWORD, address=home).name == viewer
    (found,) = counted(database, "network", network_of(elsewhere), "network")
    assert found["failed"] == ALL_NAMES_FROM_ONE_NETWORK.free


def test_known_lock_of_a_network_is_refused_without_a_call(settings: ConsoleSettings, name: str) -> None:
    with behind_proxy(settings) as (database, proxy):
        attempts, network = SignInAttempts(database, ""), new_address()
        for number in range(ALL_NAMES_FROM_ONE_NETWORK.free):
            fail(attempts, f"{name}-{number}", network)
        with pytest.raises(LockedError):
            attempts.begin(name, network)
        before = len(proxy.calls)
        with pytest.raises(LockedError):
            attempts.refuse_locked(network)
        assert len(proxy.calls) == before


def test_right_passwords_of_an_office_are_not_counted(database: Database, viewer: str, home: str) -> None:
    attempts = SignInAttempts(database, "")
    for _ in range(ALL_NAMES_FROM_ONE_NETWORK.free + 2):
        attempts.record_success(attempts.begin(viewer, home))
    assert not counted(database, "network", home, "network")
    (found,) = counted(database, "user", viewer, "name")
    assert found["failed"] == 0


def test_concurrent_guesses_are_limited_like_successive_ones(
    users: UserStore, database: Database, viewer: str, elsewhere: str
) -> None:
    with ThreadPoolExecutor(20) as pool:
        outcomes = Counter(pool.map(lambda _: guess(users, viewer, elsewhere), range(20)))
    assert 1 <= outcomes[SignInError] <= NAME_FROM_ONE_NETWORK.free
    (found,) = counted(database, "user", viewer, "name")
    assert found["failed"] == outcomes[SignInError], "an attempt without a place is not counted"


def test_sign_in_resets_the_count_of_its_network(users: UserStore, database: Database, viewer: str, home: str) -> None:
    for _ in range(2):
        for _ in range(NAME_FROM_ONE_NETWORK.free - 1):
            fail(SignInAttempts(database, ""), viewer, network_of(home))
        users.authenticate(viewer, PASSWORD, address=home)


def test_too_long_password_is_not_counted(users: UserStore, viewer: str, home: str) -> None:
    for _ in range(2 * NAME_FROM_ONE_NETWORK.free):
        with pytest.raises(SignInError):
            users.authenticate(viewer, "x" * (MAX_BYTES + 1), address=home)
    users.authenticate(viewer, PASSWORD, address=home)


def test_counts_expire_and_do_not_contain_unknown_names(
    users: UserStore, database: Database, viewer: str, name: str, elsewhere: str
) -> None:
    typed = f"password-of-{name}"
    for guessed in (viewer, typed):
        guess(users, guessed, elsewhere)
    found = [
        fields
        for scope in ("network", "name and network")
        for fields in counted(database, "network", network_of(elsewhere), scope)
    ]
    assert [fields["scope"] for fields in found] == ["network", "name and network", "name and network"]
    assert sorted(fields["user"] for fields in found[1:]) == ["", viewer]
    assert typed not in str(found)
    now = datetime.now(UTC)
    assert all(now < fields["expire_at"] <= now + timedelta(days=1) for fields in found)


def test_known_and_unknown_names_cost_the_same_calls(
    settings: ConsoleSettings, viewer: str, name: str, elsewhere: str
) -> None:
    with behind_proxy(settings) as (database, proxy):
        users = UserStore(database)

        def calls(guessed: str) -> tuple[list[str], list[int]]:
            before, sizes_before = len(proxy.calls), len(proxy.request_bytes)
            guess(users, guessed, elsewhere)
            return proxy.calls[before:], proxy.request_bytes[sizes_before:]

        guess(users, f"first-{name}", elsewhere)  # opens the connection
        # A name as long as the viewer's: the sizes of the writes then differ by the user's name alone.
        (known, known_bytes), (unknown, unknown_bytes) = calls(viewer), calls(f"x{viewer[1:]}")
        assert known == unknown == ["BatchGetDocuments", "Commit", "Commit"]
        assert all(abs(one - other) < 150 for one, other in zip(known_bytes, unknown_bytes, strict=True))


@contextmanager
def behind_proxy(settings: ConsoleSettings) -> Iterator[tuple[Database, FaultProxy]]:
    """Open the database through a proxy that counts its calls."""
    proxy = FaultProxy(settings.firestore_emulator_host)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", proxy.address)
        database = Database(replace(settings, firestore_emulator_host=proxy.address))
        yield database, proxy
        database.close()
    proxy.close()
