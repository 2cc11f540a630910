"""Sessions: the server's document decides whether a cookie is valid."""

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
from tests.support.accounts import HOME, PASSWORD, existing_user


def backdate(database: Database, session: str, **times: timedelta) -> None:
    now = datetime.now(UTC)
    database.documents.collection("sessions").document(session).update({name: now - age for name, age in times.items()})


def test_cookie_resolves_to_its_session_and_user(sessions: SessionStore, viewer_user: User) -> None:
    resolved = sessions.resolve(sessions.create(viewer_user))
    assert resolved is not None
    assert (resolved.user.name, resolved.session.user) == (viewer_user.name, viewer_user.name)


def test_database_does_not_contain_the_secret(sessions: SessionStore, database: Database, viewer_user: User) -> None:
    cookie = sessions.create(viewer_user)
    stored = [
        session
        for session in database.documents.collection("sessions").stream()
        if session.get("user") == viewer_user.name
    ]
    secret = cookie.partition(".")[0]
    assert len(stored) == 1
    assert secret not in f"{stored[0].id} {stored[0].to_dict()}"


def test_ended_session_is_invalid(sessions: SessionStore, viewer_user: User) -> None:
    cookie, other = sessions.create(viewer_user), sessions.create(viewer_user)
    sessions.end(cookie)
    assert sessions.resolve(cookie) is None
    assert sessions.resolve(other) is not None


@pytest.mark.parametrize(
    "times",
    [{"created_at": ABSOLUTE + timedelta(seconds=1)}, {"seen_at": IDLE + timedelta(seconds=1)}],
    ids=["too old", "idle too long"],
)
def test_session_expires_when_old_or_idle(
    sessions: SessionStore, database: Database, viewer_user: User, times: dict[str, timedelta]
) -> None:
    cookie = sessions.create(viewer_user)
    resolved = sessions.resolve(cookie)
    assert resolved is not None
    backdate(database, resolved.session.id, **times)
    assert sessions.resolve(cookie) is None


def test_use_extends_a_session(sessions: SessionStore, database: Database, viewer_user: User) -> None:
    cookie = sessions.create(viewer_user)
    resolved = sessions.resolve(cookie)
    assert resolved is not None
    backdate(database, resolved.session.id, seen_at=IDLE - timedelta(minutes=1))
    assert sessions.resolve(cookie) is not None
    again = sessions.resolve(cookie)
    assert again is not None
    assert datetime.now(UTC) - again.session.seen_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    "cookie",
    ["", ".", "x", "a" * 43, f"{'a' * 43}.unknown", f"{'a' * 43}.", f"{'a' * 43}.a/b", f"{'ä' * 43}.name", "x" * 9000],
)
def test_malformed_cookie_resolves_to_none(sessions: SessionStore, cookie: str) -> None:
    assert sessions.resolve(cookie) is None
    sessions.end(cookie)


def test_cookie_with_another_name_resolves_to_none(sessions: SessionStore, viewer_user: User) -> None:
    secret = sessions.create(viewer_user).partition(".")[0]
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
def test_session_is_invalid_if_the_user_changed_after_sign_in(
    users: UserStore, sessions: SessionStore, viewer: str, change: Callable[[UserStore, str], object]
) -> None:
    user = users.authenticate(viewer, PASSWORD, address=HOME)
    change(users, viewer)
    cookie = sessions.create(user)
    assert sessions.resolve(cookie) is None
    assert viewer not in {session.user for session in sessions.newest()}
    assert sessions.resolve(sessions.create(existing_user(users, viewer))) is not None


def test_session_without_generation_is_valid_until_a_change(
    users: UserStore, sessions: SessionStore, database: Database, viewer_user: User
) -> None:
    cookie = sessions.create(viewer_user)
    resolved = sessions.resolve(cookie)
    assert resolved is not None
    database.documents.collection("sessions").document(resolved.session.id).update({"generation": DELETE_FIELD})
    assert sessions.resolve(cookie) is None, "the user's generation has one"
    database.documents.collection("users").document(viewer_user.name).update({"generation": DELETE_FIELD})
    assert sessions.resolve(cookie) is not None
    users.set_role(viewer_user.name, "operator", by="tests")
    assert sessions.resolve(cookie) is None


@pytest.fixture
def alone(settings: ConsoleSettings, name: str) -> Iterator[Database]:
    """An empty database."""
    database = Database(replace(settings, firestore_database=name))
    yield database
    database.close()


def begin_many(database: Database, user: User, count: int) -> None:
    """Store sessions as ``create`` does, in one request; the first is the newest."""
    batch, now = database.documents.batch(), datetime.now(UTC)
    for number in range(count):
        start = now - timedelta(seconds=number)
        fields = {"user": user.name, "generation": user.generation, "created_at": start, "seen_at": start}
        batch.create(database.documents.collection("sessions").document(f"{number:04d}"), fields)
    batch.commit()


def test_only_the_newest_sessions_are_listed(alone: Database) -> None:
    begin_many(alone, UserStore(alone).add("viewer", PASSWORD, "viewer", by="tests"), MAX_LISTED + 1)
    assert [session.id for session in SessionStore(alone).newest()] == [f"{number:04d}" for number in range(MAX_LISTED)]


@pytest.mark.parametrize("count", [399, 400, 850])
def test_change_deletes_all_sessions_of_any_number(alone: Database, count: int) -> None:
    users = UserStore(alone)
    begin_many(alone, users.add("viewer", PASSWORD, "viewer", by="tests"), count)
    users.set_role("viewer", "operator", by="tests")
    assert not alone.documents.collection("sessions").limit(1).get()
