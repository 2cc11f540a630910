"""A local Firestore of a test's own, a fault proxy before it, a feed that reads through it; a receiver's key server."""

from collections.abc import Iterator

import pytest

from infra.local.token_signer import Signer
from tests.support.faults.firestore_proxy import FirestoreProxy
from tests.support.firestore import LocalFirestore, Writer
from tests.support.receiver_process import ACCOUNT, AUDIENCE, KeyServer
from tests.support.viewing import Viewing, viewing


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


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


@pytest.fixture(scope="module")
def token(signer: Signer) -> str:
    return signer.push_token(ACCOUNT, AUDIENCE)


@pytest.fixture(scope="module")
def keys(signer: Signer) -> Iterator[KeyServer]:
    server = KeyServer(signer)
    yield server
    server.close()
