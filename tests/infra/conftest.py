"""Adapters on the shared local cloud. Each test uses unique names."""

from collections.abc import Iterator

import pytest

from infra.accounts.session_store import SessionStore
from infra.accounts.user import User
from infra.accounts.user_store import UserStore
from infra.firestore.client import Database
from infra.history.audit import Audit
from infra.pubsub.client import PubSub
from infra.settings import ConsoleSettings, console_settings
from tests.support.accounts import NAMES, PASSWORD, existing_user
from tests.support.local_cloud import Cloud


@pytest.fixture
def settings(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> ConsoleSettings:
    """A command's settings for the local cloud; Google's clients see its addresses in the environment."""
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    return console_settings(cloud.environ)


@pytest.fixture
def database(settings: ConsoleSettings) -> Iterator[Database]:
    database = Database(settings)
    yield database
    database.close()


@pytest.fixture
def pubsub(settings: ConsoleSettings) -> Iterator[PubSub]:
    pubsub = PubSub(settings)
    yield pubsub
    pubsub.close()


@pytest.fixture
def users(database: Database) -> UserStore:
    return UserStore(database)


@pytest.fixture
def sessions(database: Database) -> SessionStore:
    return SessionStore(database)


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(database)


@pytest.fixture
def name() -> str:
    """A user's name that no other test has."""
    return NAMES.create_prefix()


@pytest.fixture
def viewer(users: UserStore, name: str) -> str:
    """The name of a new user with the role viewer and PASSWORD."""
    users.add(name, PASSWORD, "viewer", by="tests")
    return name


@pytest.fixture
def viewer_user(users: UserStore, viewer: str) -> User:
    """The same user, as stored."""
    return existing_user(users, viewer)
