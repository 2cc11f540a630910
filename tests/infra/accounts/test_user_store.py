"""Users: sign-in, roles, and the end of all sessions with a new password or role."""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from google.cloud.firestore import FieldFilter

from infra.accounts.session_store import SessionStore
from infra.accounts.sign_in import SignInError
from infra.accounts.user import Role, User
from infra.accounts.user_store import UserStore
from infra.errors import DocumentExistsError, DocumentNotFoundError, InputError
from infra.firestore.client import Database
from infra.settings import ConsoleSettings
from tests.support.accounts import HOME, PASSWORD, existing_user


def test_right_password_signs_in(users: UserStore, viewer: str) -> None:
    user = users.authenticate(viewer, PASSWORD, address=HOME)
    assert (user.name, user.role) == (viewer, "viewer")
    seen = users.get(viewer)
    assert seen is not None
    assert seen.last_seen_at is not None


def test_unknown_name_and_wrong_password_have_the_same_text(users: UserStore, viewer: str) -> None:
    with pytest.raises(SignInError) as wrong:
        users.authenticate(viewer, "wrong horse battery", address=HOME)
    with pytest.raises(SignInError) as unknown:
        users.authenticate("unknown-name", PASSWORD, address=HOME)
    assert str(wrong.value) == str(unknown.value)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "__x__", "A", "name\n", "x" * 101, "é"])
def test_invalid_name_is_a_failed_sign_in_and_cannot_be_added(users: UserStore, name: str) -> None:
    with pytest.raises(SignInError):
        users.authenticate(name, PASSWORD, address=HOME)
    with pytest.raises(InputError, match="name"):
        users.add(name, PASSWORD, "viewer", by="tests")


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1025])
def test_password_has_12_characters_to_1024_bytes(users: UserStore, name: str, password: str) -> None:
    with pytest.raises(InputError, match="password"):
        users.add(name, password, "viewer", by="tests")
    assert users.get(name) is None


def test_second_user_of_the_same_name_is_refused(users: UserStore, viewer: str) -> None:
    with pytest.raises(DocumentExistsError, match=f"There is a user {viewer} already"):
        users.add(viewer, PASSWORD, "admin", by="tests")
    kept = users.get(viewer)
    assert kept is not None
    assert kept.role == "viewer"


def test_changing_the_password_needs_the_current_one(users: UserStore, viewer: str) -> None:
    with pytest.raises(SignInError):
        users.change_password(viewer, "wrong horse battery", "a new horse battery", address=HOME)
    users.change_password(viewer, PASSWORD, "a new horse battery", address=HOME)
    users.authenticate(viewer, "a new horse battery", address=HOME)
    with pytest.raises(SignInError):
        users.authenticate(viewer, PASSWORD, address=HOME)


def test_password_set_by_an_admin_wins_over_a_concurrent_change(users: UserStore, viewer: str) -> None:
    for number in range(3):
        current, attacker_password, admin_password = (
            f"{word} horse battery {number}" for word in ("current", "attacker", "admin")
        )
        users.set_password(viewer, current, by="tests")
        with ThreadPoolExecutor(1) as attacker:
            attempt = attacker.submit(users.change_password, viewer, current, attacker_password, address="198.51.100.1")
            time.sleep(0.1)  # between the check of the current password and the write of the new one
            users.set_password(viewer, admin_password, by="admin")
        assert attempt.exception() is None or isinstance(attempt.exception(), SignInError)
        users.authenticate(viewer, admin_password, address=HOME)


def test_new_password_or_role_ends_all_sessions(users: UserStore, sessions: SessionStore, viewer: str) -> None:
    cookies = [sessions.create(existing_user(users, viewer)) for _ in range(3)]
    users.set_role(viewer, "operator", by="tests")
    assert [sessions.resolve(cookie) for cookie in cookies] == [None] * 3
    cookie = sessions.create(existing_user(users, viewer))
    users.set_password(viewer, "a new horse battery", by="tests")
    assert sessions.resolve(cookie) is None


def test_removing_a_user_ends_all_sessions(users: UserStore, sessions: SessionStore, viewer: str) -> None:
    cookie = sessions.create(existing_user(users, viewer))
    users.remove(viewer, by="tests")
    assert users.get(viewer) is None
    assert sessions.resolve(cookie) is None
    with pytest.raises(DocumentNotFoundError):
        users.remove(viewer, by="tests")


def test_change_of_a_missing_user_is_refused(users: UserStore, name: str) -> None:
    with pytest.raises(DocumentNotFoundError, match=name):
        users.set_role(name, "admin", by="tests")
    with pytest.raises(DocumentNotFoundError, match=name):
        users.set_password(name, PASSWORD, by="tests")


def test_each_change_is_audited(users: UserStore, database: Database, viewer: str) -> None:
    users.set_role(viewer, "operator", by="admin")
    users.remove(viewer, by="admin")
    entries = (
        database.documents.collection("audit").where(filter=FieldFilter("target", "==", f"users/{viewer}")).stream()
    )
    recorded = [(entry.get("who"), entry.get("what"), entry.get("detail")) for entry in entries]
    assert sorted(recorded) == [
        ("admin", "user.remove", ""),
        ("admin", "user.role", "operator"),
        ("tests", "user.add", "role viewer"),
    ]


@pytest.mark.parametrize(
    ("role", "may"),
    [("viewer", {"viewer"}), ("operator", {"viewer", "operator"}), ("admin", {"viewer", "operator", "admin"})],
)
def test_role_includes_the_rights_of_lower_roles(role: Role, may: set[Role]) -> None:
    roles: tuple[Role, ...] = ("viewer", "operator", "admin")
    assert {other for other in roles if User("name", role).may(other)} == may


def test_first_admin_is_not_added_when_a_user_exists(users: UserStore, viewer: str) -> None:
    assert viewer
    assert users.ensure_first_admin("a chosen horse battery") is None


@pytest.fixture
def alone(settings: ConsoleSettings, name: str) -> Iterator[UserStore]:
    """The users of an empty database, after adding one admin called ``first``."""
    database = Database(replace(settings, firestore_database=name))
    users = UserStore(database)
    users.add("first", PASSWORD, "admin", by="tests")
    yield users
    database.close()


def test_last_admin_cannot_be_removed_or_demoted(alone: UserStore) -> None:
    with pytest.raises(InputError, match="first is the last admin"):
        alone.remove("first", by="first")
    with pytest.raises(InputError, match="first is the last admin"):
        alone.set_role("first", "operator", by="first")
    alone.set_role("first", "admin", by="first")
    assert [(user.name, user.role) for user in alone.all()] == [("first", "admin")]


def test_one_admin_remains_when_two_demote_each_other(alone: UserStore) -> None:
    for _ in range(5):
        alone.add("second", PASSWORD, "admin", by="tests")

        def demote(name: str) -> None:
            with contextlib.suppress(InputError):
                alone.set_role(name, "viewer", by="tests")

        with ThreadPoolExecutor(2) as both:
            list(both.map(demote, ("first", "second")))
        assert len([user for user in alone.all() if user.role == "admin"]) == 1
        alone.set_role("first", "admin", by="tests")
        alone.remove("second", by="tests")
