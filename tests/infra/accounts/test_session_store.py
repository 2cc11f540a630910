"""Sessions: a cookie is worth what the server's document says at this moment."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud.firestore import DELETE_FIELD

from infra.accounts.session_store import ABSOLUTE, IDLE, MAX_LISTED, SessionStore
from infra.accounts.user import User
from infra.accounts.user_store import UserStore
from infra.firestore.client import Database
from infra.settings import ConsoleSettings
from tests.support.accounts import HOME, PASSWORD, found


def backdate(database: Database, session: str, **times: timedelta) -> None:
    now = datetime.now(UTC)
    database.documents.collection("sessions").document(session).update({name: now - age for name, age in times.items()})


def test_a_cookie_resolves_to_its_session_and_user(sessions: SessionStore, person: User) -> None:
    resolved = sessions.resolve(sessions.create(person))
    assert resolved is not None
    assert (resolved.user.name, resolved.session.user) == (person.name, person.name)


def test_the_database_does_not_hold_the_secret(sessions: SessionStore, database: Database, person: User) -> None:
    cookie = sessions.create(person)
    stored = [one for one in database.documents.collection("sessions").stream() if one.get("user") == person.name]
    secret = cookie.partition(".")[0]
    assert len(stored) == 1
    assert secret not in f"{stored[0].id} {stored[0].to_dict()}"


def test_an_ended_session_is_worth_nothing(sessions: SessionStore, person: User) -> None:
    cookie, other = sessions.create(person), sessions.create(person)
    sessions.end(cookie)
    assert sessions.resolve(cookie) is None
    assert sessions.resolve(other) is not None


@pytest.mark.parametrize(
    "times",
    [{"created_at": ABSOLUTE + timedelta(seconds=1)}, {"seen_at": IDLE + timedelta(seconds=1)}],
    ids=["too old", "idle too long"],
)
def test_a_session_ends_by_itself(
    sessions: SessionStore, database: Database, person: User, times: dict[str, timedelta]
) -> None:
    cookie = sessions.create(person)
    resolved = sessions.resolve(cookie)
    assert resolved is not None
    backdate(database, resolved.session.id, **times)
    assert sessions.resolve(cookie) is None


def test_using_a_session_keeps_it(sessions: SessionStore, database: Database, person: User) -> None:
    cookie = sessions.create(person)
    resolved = sessions.resolve(cookie)
    assert resolved is not None
    backdate(database, resolved.session.id, seen_at=IDLE - timedelta(minutes=1))
    assert sessions.resolve(cookie) is not None
    again = sessions.resolve(cookie)
    assert again is not None
    assert datetime.now(UTC) - again.session.seen_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    "cookie",
    ["", ".", "x", "a" * 43, f"{'a' * 43}.nobody", f"{'a' * 43}.", f"{'a' * 43}.a/b", f"{'ä' * 43}.ana", "x" * 9000],
)
def test_nonsense_resolves_to_nobody(sessions: SessionStore, cookie: str) -> None:
    assert sessions.resolve(cookie) is None
    sessions.end(cookie)


def test_a_cookie_with_another_name_resolves_to_nobody(sessions: SessionStore, person: User) -> None:
    secret = sessions.create(person).partition(".")[0]
    assert sessions.resolve(f"{secret}.admin") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda users, name: users.set_password(name, "a new horse battery", by="tests"),
        lambda users, name: users.set_role(name, "operator", by="tests"),
        lambda users, name: users.set_role(name, "admin", by="tests"),
        lambda users, name: (users.remove(name, by="tests"), users.add(name, PASSWORD, "viewer", by="tests")),
    ],
    ids=["password", "role", "admin", "another of that name"],
)
def test_a_sign_in_that_a_change_overtook_is_over(
    users: UserStore, sessions: SessionStore, ana: str, change: Callable[[UserStore, str], object]
) -> None:
    user = users.authenticate(ana, PASSWORD, address=HOME)
    change(users, ana)
    cookie = sessions.create(user)
    assert sessions.resolve(cookie) is None
    assert ana not in {one.user for one in sessions.newest()}
    assert sessions.resolve(sessions.create(found(users, ana))) is not None


def test_a_session_from_before_generations_counts_until_a_change(
    users: UserStore, sessions: SessionStore, database: Database, person: User
) -> None:
    cookie = sessions.create(person)
    resolved = sessions.resolve(cookie)
    assert resolved is not None
    database.documents.collection("sessions").document(resolved.session.id).update({"generation": DELETE_FIELD})
    assert sessions.resolve(cookie) is None, "the user's generation has one"
    database.documents.collection("users").document(person.name).update({"generation": DELETE_FIELD})
    assert sessions.resolve(cookie) is not None
    users.set_role(person.name, "operator", by="tests")
    assert sessions.resolve(cookie) is None


@pytest.fixture
def alone(settings: ConsoleSettings, name: str) -> Iterator[Database]:
    """A database of the test's own."""
    database = Database(replace(settings, firestore_database=name))
    yield database
    database.close()


def begin_many(database: Database, user: User, count: int) -> None:
    """Store sessions as ``create`` does, in one request; the first is the newest."""
    batch, now = database.documents.batch(), datetime.now(UTC)
    for number in range(count):
        began = now - timedelta(seconds=number)
        fields = {"user": user.name, "generation": user.generation, "created_at": began, "seen_at": began}
        batch.create(database.documents.collection("sessions").document(f"{number:04d}"), fields)
    batch.commit()


def test_of_many_sessions_the_newest_are_listed(alone: Database) -> None:
    begin_many(alone, UserStore(alone).add("ana", PASSWORD, "viewer", by="tests"), MAX_LISTED + 1)
    assert [one.id for one in SessionStore(alone).newest()] == [f"{number:04d}" for number in range(MAX_LISTED)]


@pytest.mark.parametrize("count", [399, 400, 850])
def test_a_change_deletes_every_session_however_many(alone: Database, count: int) -> None:
    users = UserStore(alone)
    begin_many(alone, users.add("ana", PASSWORD, "viewer", by="tests"), count)
    users.set_role("ana", "operator", by="tests")
    assert not alone.documents.collection("sessions").limit(1).get()
