"""The viewer in this process, on a local Firestore of the run's own; Pub/Sub refuses every connection there."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from tests.support.local_cloud import Cloud
from tests.support.ports import free_port
from tests.support.viewer.app import running
from tests.support.viewer.topics import Topics, own_topics
from tests.support.viewer.visitor import Visitor, add_user


@pytest.fixture(scope="session")
def firestore() -> Iterator[LocalFirestore]:
    """One Firestore for the pages' tests; take names of your own."""
    local = LocalFirestore()
    yield local
    local.close()


@pytest.fixture(scope="session")
def app(firestore: LocalFirestore) -> Iterator[Flask]:
    """The viewer."""
    settings = settings_for(firestore.address, PUBSUB_EMULATOR_HOST=f"127.0.0.1:{free_port()}", LOG_LEVEL="CRITICAL")
    with running(settings) as running_app:
        yield running_app


@pytest.fixture(scope="session")
def writer(firestore: LocalFirestore) -> Iterator[Writer]:
    """Stores messages as the receiver does."""
    made = Writer(firestore.address)
    yield made
    made.close()


@pytest.fixture
def name() -> str:
    """A user's name that no other test has."""
    return f"ana-{uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def viewer(app: Flask) -> Visitor:
    """Somebody with the least role, signed in."""
    return Visitor(app, add_user(app, "vera", "viewer"))


@pytest.fixture(scope="session")
def operator(app: Flask) -> Visitor:
    """Somebody who may start and stop, signed in."""
    return Visitor(app, add_user(app, "otto", "operator"))


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(app)


@pytest.fixture(scope="module")
def topics(cloud: Cloud) -> Iterator[Topics]:
    """Topics of a module's own, on the local cloud."""
    with own_topics(cloud) as found:
        yield found


@pytest.fixture(scope="module")
def acting_app(topics: Topics) -> Iterator[Flask]:
    """A viewer that monitors them."""
    with running(topics.settings) as running_app:
        yield running_app


@pytest.fixture(scope="module")
def acting(acting_app: Flask) -> Visitor:
    """An operator there."""
    return Visitor(acting_app, add_user(acting_app, f"otto-{uuid4().hex[:8]}", "operator"))


@pytest.fixture(scope="module")
def admin(acting_app: Flask) -> Visitor:
    """An admin there."""
    return Visitor(acting_app, add_user(acting_app, f"ada-{uuid4().hex[:8]}", "admin"))


@pytest.fixture(scope="module")
def reading(acting_app: Flask) -> Visitor:
    """Somebody with the least role there."""
    return Visitor(acting_app, add_user(acting_app, f"vera-{uuid4().hex[:8]}", "viewer"))
