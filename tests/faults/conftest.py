"""A local Firestore of a test's own, a fault proxy before it, and a feed that reads through the proxy."""

from collections.abc import Iterator

import pytest

from tests.faults.firestore_proxy import FirestoreProxy
from tests.web.stage import LocalFirestore, Writer
from tests.web.viewing import Viewing, viewing


@pytest.fixture
def firestore() -> Iterator[LocalFirestore]:
    server = LocalFirestore()
    yield server
    server.close()


@pytest.fixture
def proxy(firestore: LocalFirestore) -> Iterator[FirestoreProxy]:
    server = FirestoreProxy(firestore.address)
    yield server
    server.close()


@pytest.fixture
def writer(firestore: LocalFirestore) -> Iterator[Writer]:
    found = Writer(firestore.address)
    yield found
    found.close()


@pytest.fixture
def view(proxy: FirestoreProxy) -> Iterator[Viewing]:
    with viewing(proxy.address) as found:
        yield found
