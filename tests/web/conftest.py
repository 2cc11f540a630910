"""The viewer in this process, on a local Firestore of the run's own; Pub/Sub refuses every connection there."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from flask import Flask

from infra.settings import ViewerSettings
from tests.web.stage import LocalFirestore, Writer, free_port, settings_for
from tests.web.visitor import Visitor, add_user, services_of
from web import create_app
from web.iap import IapVerifier


@contextmanager
def running(settings: ViewerSettings, iap: IapVerifier | None = None) -> Iterator[Flask]:
    """An application, its connections closed afterwards."""
    app = create_app(settings, iap)
    with pytest.MonkeyPatch.context() as patch:
        # Google's document client reads it when it is made.
        patch.setenv("FIRESTORE_EMULATOR_HOST", settings.firestore_emulator_host)
        try:
            yield app
        finally:
            services_of(app).feed.close()
            services_of(app).database.close()


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
