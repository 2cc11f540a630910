"""One receiver for all of these tests, with the key server and the Firestore it talks to."""

from collections.abc import Iterator

import pytest

from infra.local.token_signer import Signer
from tests.support.firestore.fault_proxy import FaultProxy
from tests.support.firestore.reader import Reader
from tests.support.firestore.servers import local_firestore
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import ACCOUNT, AUDIENCE


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer()


@pytest.fixture(scope="session")
def keys(signer: Signer) -> Iterator[KeyServer]:
    server = KeyServer(signer)
    yield server
    server.close()


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """An empty Firestore as host:port."""
    with local_firestore() as address:
        yield address


@pytest.fixture(scope="session")
def receiver(store: str, keys: KeyServer) -> Iterator[ReceiverProcess]:
    process = ReceiverProcess(store, keys.url).start()
    yield process
    process.close()


@pytest.fixture(scope="session")
def reader(store: str) -> Iterator[Reader]:
    """Reads what is stored, from outside."""
    one = Reader(store)
    yield one
    one.close()


@pytest.fixture
def proxy(store: str) -> Iterator[FaultProxy]:
    """A proxy before the store that fails on request."""
    one = FaultProxy(store)
    yield one
    one.close()


@pytest.fixture
def token(signer: Signer) -> str:
    """A good token."""
    return signer.push_token(ACCOUNT, AUDIENCE)
