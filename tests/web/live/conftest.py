"""For each test of the feed a Firestore without messages, a writer to it and a feed over it."""

from collections.abc import Iterator

import pytest

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import Viewing, viewing


@pytest.fixture
def firestore() -> Iterator[LocalFirestore]:
    server = LocalFirestore()
    yield server
    server.close()


@pytest.fixture
def writer(firestore: LocalFirestore) -> Iterator[Writer]:
    firestore_writer = Writer(firestore.address)
    yield firestore_writer
    firestore_writer.close()


@pytest.fixture
def view(firestore: LocalFirestore) -> Iterator[Viewing]:
    with viewing(firestore.address) as opened:
        yield opened
