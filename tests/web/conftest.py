"""The viewer in this process, with a local Firestore; its Pub/Sub address refuses every connection."""

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
from tests.support.viewer.visitor import Visitor, add_user, signed_in


@pytest.fixture(scope="session")
def firestore() -> Iterator[LocalFirestore]:
    """Run one Firestore for all tests of pages; each test chooses names that no other test uses."""
    local = LocalFirestore()
    yield local
    local.close()


@pytest.fixture(scope="session")
def app(firestore: LocalFirestore) -> Iterator[Flask]:
    """Make the viewer once."""
    settings = settings_for(firestore.address, PUBSUB_EMULATOR_HOST=f"127.0.0.1:{free_port()}", LOG_LEVEL="CRITICAL")
    with running(settings) as running_app:
        yield running_app


@pytest.fixture(scope="session")
def writer(firestore: LocalFirestore) -> Iterator[Writer]:
    """Store messages as the receiver does."""
    made = Writer(firestore.address)
    yield made
    made.close()


@pytest.fixture
def name() -> str:
    """Return a user's name that no other test has."""
    return f"user-{uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def viewer(app: Flask) -> Visitor:
    """Sign in a user with the lowest role."""
    return Visitor(app, add_user(app, "the-viewer", "viewer"))


@pytest.fixture(scope="session")
def operator(app: Flask) -> Visitor:
    """Sign in a user who may start and stop delivery."""
    return Visitor(app, add_user(app, "the-operator", "operator"))


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    """Return a client that is not signed in."""
    return Visitor(app)


@pytest.fixture(scope="module")
def topics(cloud: Cloud) -> Iterator[Topics]:
    """Create topics for one test module, on the local cloud."""
    with own_topics(cloud) as made:
        yield made


@pytest.fixture(scope="module")
def acting_app(topics: Topics) -> Iterator[Flask]:
    """Make a viewer that monitors these topics."""
    with running(topics.settings) as running_app:
        yield running_app


@pytest.fixture(scope="module")
def acting(acting_app: Flask) -> Visitor:
    """Sign in an operator at that viewer."""
    return signed_in(acting_app, "operator")


@pytest.fixture(scope="module")
def admin(acting_app: Flask) -> Visitor:
    """Sign in an admin at that viewer."""
    return signed_in(acting_app, "admin")


@pytest.fixture(scope="module")
def reading(acting_app: Flask) -> Visitor:
    """Sign in a user with the lowest role at that viewer."""
    return signed_in(acting_app, "viewer")
