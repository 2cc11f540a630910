"""Our Pub/Sub and Google's emulator, which must behave alike, and receivers for their pushes."""

import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from unittest.mock import patch

import grpc
import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient  # type: ignore[import-untyped]

from infra.local.google_emulators import find_emulators
from infra.local.processes.ports import free_port, is_free
from infra.local.pubsub import PubsubServer
from infra.local.pubsub.server import SERVER_OPTIONS
from infra.local.token_signer import Signer
from tests.support.pubsub import Bench, LoopThread, Receiver
from tests.support.waiting import wait_until


@pytest.fixture(scope="session")
def loop() -> Iterator[LoopThread]:
    loop = LoopThread()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer()


@contextlib.asynccontextmanager
async def serve(signer: Signer) -> AsyncIterator[tuple[PubsubServer, str]]:
    """Our Pub/Sub on a free port: the server and ``host:port``."""
    pubsub = PubsubServer(signer)
    server = grpc.aio.server(options=SERVER_OPTIONS)
    pubsub.add_to(server)
    host = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield pubsub, host
    await pubsub.close()
    await server.stop(0.2)


@contextlib.contextmanager
def clients(host: str) -> Iterator[Bench]:
    """Google's clients, closed afterwards."""
    with patch.dict(os.environ, {"PUBSUB_EMULATOR_HOST": host}):
        publisher, subscriber = PublisherClient(), SubscriberClient()
    yield Bench(publisher, subscriber)
    publisher.transport.close()
    subscriber.close()


@pytest.fixture(scope="session")
def ours(loop: LoopThread, signer: Signer) -> Iterator[tuple[PubsubServer, Bench]]:
    """Our Pub/Sub, for features that Google's emulator lacks: tokens, limits, dead letters."""
    serving = serve(signer)
    pubsub, host = loop.run(serving.__aenter__())
    with clients(host) as bench:
        yield pubsub, bench
    loop.run(serving.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def googles(google_emulators: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Google's emulator."""
    java, jar, _ = find_emulators()
    port = free_port()
    with (tmp_path_factory.mktemp("emulator") / "log").open("wb") as log:
        command = (java, "-jar", str(jar), "--host=127.0.0.1", f"--port={port}")
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    wait_until(lambda: not is_free(port), "the start of Google's Pub/Sub emulator", 30)
    with clients(f"127.0.0.1:{port}") as bench:
        yield bench
    process.terminate()
    process.wait(10)


@pytest.fixture(params=["local", pytest.param("google", marks=pytest.mark.emulators)])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Our Pub/Sub, then Google's emulator: each test must hold on both."""
    if request.param == "google":
        googles: Bench = request.getfixturevalue("googles")
        return googles
    ours: tuple[PubsubServer, Bench] = request.getfixturevalue("ours")
    return ours[1]


@pytest.fixture
def local(ours: tuple[PubsubServer, Bench]) -> Bench:
    """Our Pub/Sub only."""
    return ours[1]


@pytest.fixture
def pubsub(ours: tuple[PubsubServer, Bench]) -> PubsubServer:
    """The server object behind ``local``."""
    return ours[0]


@pytest.fixture
def receivers(loop: LoopThread) -> Iterator[Callable[..., Receiver]]:
    """Create receivers: ``receivers(answer=lambda push: 500)``."""
    made: list[Receiver] = []

    def make(**options: object) -> Receiver:
        receiver = Receiver(**options)  # type: ignore[arg-type]
        loop.run(receiver.start())
        made.append(receiver)
        return receiver

    yield make
    for receiver in made:
        loop.run(receiver.close())


@pytest.fixture
def receiver(receivers: Callable[..., Receiver]) -> Receiver:
    """A receiver that acknowledges every push."""
    return receivers()
