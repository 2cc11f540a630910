"""Users: sign-in, roles, and that a new password or role ends every session."""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from google.cloud.firestore import FieldFilter

from infra.accounts.session_store import SessionStore
from infra.accounts.user import Role, User
from infra.accounts.user_store import SignInError, UserStore
from infra.errors import DocumentExistsError, DocumentNotFoundError, InputError
from infra.firestore.client import Database
from infra.settings import ConsoleSettings
from tests.support.accounts import HOME, PASSWORD, found


def test_the_right_password_signs_in(users: UserStore, ana: str) -> None:
    user = users.authenticate(ana, PASSWORD, address=HOME)
    assert (user.name, user.role) == (ana, "viewer")
    seen = users.get(ana)
    assert seen is not None
    assert seen.last_seen_at is not None


def test_an_unknown_name_and_a_wrong_password_read_the_same(users: UserStore, ana: str) -> None:
    with pytest.raises(SignInError) as wrong:
        users.authenticate(ana, "wrong horse battery", address=HOME)
    with pytest.raises(SignInError) as unknown:
        users.authenticate("nobody-of-that-name", PASSWORD, address=HOME)
    assert str(wrong.value) == str(unknown.value)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "__x__", "A", "ana\n", "x" * 101, "é"])
def test_a_name_that_cannot_be_a_user_is_only_a_failed_sign_in(users: UserStore, name: str) -> None:
    with pytest.raises(SignInError):
        users.authenticate(name, PASSWORD, address=HOME)
    with pytest.raises(InputError, match="name"):
        users.add(name, PASSWORD, "viewer", by="tests")


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1025])
def test_a_password_is_12_characters_to_1024_bytes(users: UserStore, name: str, password: str) -> None:
    with pytest.raises(InputError, match="password"):
        users.add(name, password, "viewer", by="tests")
    assert users.get(name) is None


def test_a_second_user_of_the_same_name_is_refused(users: UserStore, ana: str) -> None:
    with pytest.raises(DocumentExistsError, match=f"There is a user {ana} already"):
        users.add(ana, PASSWORD, "admin", by="tests")
    kept = users.get(ana)
    assert kept is not None
    assert kept.role == "viewer"


def test_a_new_password_needs_the_current_one(users: UserStore, ana: str) -> None:
    with pytest.raises(SignInError):
        users.change_password(ana, "wrong horse battery", "a new horse battery", address=HOME)
    users.change_password(ana, PASSWORD, "a new horse battery", address=HOME)
    users.authenticate(ana, "a new horse battery", address=HOME)
    with pytest.raises(SignInError):
        users.authenticate(ana, PASSWORD, address=HOME)


def test_an_admins_new_password_is_not_overtaken_by_who_knew_the_old_one(users: UserStore, ana: str) -> None:
    for number in range(3):
        current, theirs, admins = (f"{word} horse battery {number}" for word in ("current", "another", "an admins"))
        users.set_password(ana, current, by="tests")
        with ThreadPoolExecutor(1) as thief:
            tried = thief.submit(users.change_password, ana, current, theirs, address="198.51.100.1")
            time.sleep(0.1)  # between what proves the current password and what sets another one
            users.set_password(ana, admins, by="root")
        assert tried.exception() is None or isinstance(tried.exception(), SignInError)
        users.authenticate(ana, admins, address=HOME)


def test_a_new_password_and_a_new_role_end_all_sessions(users: UserStore, sessions: SessionStore, ana: str) -> None:
    cookies = [sessions.create(found(users, ana)) for _ in range(3)]
    users.set_role(ana, "operator", by="tests")
    assert [sessions.resolve(cookie) for cookie in cookies] == [None] * 3
    cookie = sessions.create(found(users, ana))
    users.set_password(ana, "a new horse battery", by="tests")
    assert sessions.resolve(cookie) is None


def test_removing_a_user_ends_the_sessions(users: UserStore, sessions: SessionStore, ana: str) -> None:
    cookie = sessions.create(found(users, ana))
    users.remove(ana, by="tests")
    assert users.get(ana) is None
    assert sessions.resolve(cookie) is None
    with pytest.raises(DocumentNotFoundError):
        users.remove(ana, by="tests")


def test_changes_to_nobody_are_refused(users: UserStore, name: str) -> None:
    with pytest.raises(DocumentNotFoundError, match=name):
        users.set_role(name, "admin", by="tests")
    with pytest.raises(DocumentNotFoundError, match=name):
        users.set_password(name, PASSWORD, by="tests")


def test_every_change_is_audited(users: UserStore, database: Database, ana: str) -> None:
    users.set_role(ana, "operator", by="root")
    users.remove(ana, by="root")
    entries = database.documents.collection("audit").where(filter=FieldFilter("target", "==", f"users/{ana}")).stream()
    said = [(one.get("who"), one.get("what"), one.get("detail")) for one in entries]
    assert sorted(said) == [
        ("root", "user.remove", ""),
        ("root", "user.role", "operator"),
        ("tests", "user.add", "role viewer"),
    ]


@pytest.mark.parametrize(
    ("role", "may"),
    [("viewer", {"viewer"}), ("operator", {"viewer", "operator"}), ("admin", {"viewer", "operator", "admin"})],
)
def test_a_role_may_what_lesser_roles_may(role: Role, may: set[Role]) -> None:
    roles: tuple[Role, ...] = ("viewer", "operator", "admin")
    assert {other for other in roles if User("ana", role).may(other)} == may


def test_the_first_admin_is_made_only_when_there_is_nobody(users: UserStore, ana: str) -> None:
    assert ana
    assert users.ensure_first_admin("a chosen horse battery") is None


@pytest.fixture
def alone(settings: ConsoleSettings, name: str) -> Iterator[UserStore]:
    """The users of a database of the test's own: there is ``ana``, an admin, and nobody else."""
    database = Database(replace(settings, firestore_database=name))
    users = UserStore(database)
    users.add("ana", PASSWORD, "admin", by="tests")
    yield users
    database.close()


def test_the_last_admin_stays(alone: UserStore) -> None:
    with pytest.raises(InputError, match="ana is the last admin"):
        alone.remove("ana", by="ana")
    with pytest.raises(InputError, match="ana is the last admin"):
        alone.set_role("ana", "operator", by="ana")
    alone.set_role("ana", "admin", by="ana")
    assert [(one.name, one.role) for one in alone.all()] == [("ana", "admin")]


def test_of_two_admins_who_demote_each_other_one_stays(alone: UserStore) -> None:
    for _ in range(5):
        alone.add("ben", PASSWORD, "admin", by="tests")

        def demote(name: str) -> None:
            with contextlib.suppress(InputError):
                alone.set_role(name, "viewer", by="tests")

        with ThreadPoolExecutor(2) as both:
            list(both.map(demote, ("ana", "ben")))
        assert len([one for one in alone.all() if one.role == "admin"]) == 1
        alone.set_role("ana", "admin", by="tests")
        alone.remove("ben", by="tests")
