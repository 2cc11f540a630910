"""Sessions: a cookie is worth what the server's document says at this moment."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.firestore.client import Database
from infra.sessions import ABSOLUTE, IDLE, Sessions


def backdate(database: Database, session: str, **times: timedelta) -> None:
    now = datetime.now(UTC)
    database.documents.collection("sessions").document(session).update({name: now - age for name, age in times.items()})


def test_a_cookie_resolves_to_its_session_and_user(sessions: Sessions, ana: str) -> None:
    resolved = sessions.resolve(sessions.create(ana))
    assert resolved is not None
    assert (resolved.user.name, resolved.session.user) == (ana, ana)


def test_the_database_does_not_hold_the_secret(sessions: Sessions, database: Database, ana: str) -> None:
    cookie = sessions.create(ana)
    stored = [one for one in database.documents.collection("sessions").stream() if one.get("user") == ana]
    secret = cookie.partition(".")[0]
    assert len(stored) == 1
    assert secret not in f"{stored[0].id} {stored[0].to_dict()}"


def test_an_ended_session_is_worth_nothing(sessions: Sessions, ana: str) -> None:
    cookie, other = sessions.create(ana), sessions.create(ana)
    sessions.end(cookie)
    assert sessions.resolve(cookie) is None
    assert sessions.resolve(other) is not None


@pytest.mark.parametrize(
    "times",
    [{"created_at": ABSOLUTE + timedelta(seconds=1)}, {"seen_at": IDLE + timedelta(seconds=1)}],
    ids=["too old", "idle too long"],
)
def test_a_session_ends_by_itself(
    sessions: Sessions, database: Database, ana: str, times: dict[str, timedelta]
) -> None:
    cookie = sessions.create(ana)
    resolved = sessions.resolve(cookie)
    assert resolved is not None
    backdate(database, resolved.session.id, **times)
    assert sessions.resolve(cookie) is None


def test_using_a_session_keeps_it(sessions: Sessions, database: Database, ana: str) -> None:
    cookie = sessions.create(ana)
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
def test_nonsense_resolves_to_nobody(sessions: Sessions, cookie: str) -> None:
    assert sessions.resolve(cookie) is None
    sessions.end(cookie)


def test_a_cookie_with_another_name_resolves_to_nobody(sessions: Sessions, users: object, ana: str) -> None:
    secret = sessions.create(ana).partition(".")[0]
    assert sessions.resolve(f"{secret}.admin") is None
