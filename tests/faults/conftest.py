"""Each test's local Firestore, a proxy before it and a feed that reads through it; a receiver's key server."""

from collections.abc import Iterator

import pytest

from infra.local.token_signer import Signer
from tests.support.firestore.listen_proxy import ListenProxy
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.push import ACCOUNT, AUDIENCE
from tests.support.viewer.feed import Viewing, viewing


@pytest.fixture
def firestore() -> Iterator[LocalFirestore]:
    server = LocalFirestore()
    yield server
    server.close()


@pytest.fixture
def proxy(firestore: LocalFirestore) -> Iterator[ListenProxy]:
    server = ListenProxy(firestore.address)
    yield server
    server.close()


@pytest.fixture
def writer(firestore: LocalFirestore) -> Iterator[Writer]:
    found = Writer(firestore.address)
    yield found
    found.close()


@pytest.fixture
def view(proxy: ListenProxy) -> Iterator[Viewing]:
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
