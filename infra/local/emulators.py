"""Start our Pub/Sub and Firestore as servers on loopback; ``infra.local.google_emulators`` starts Google's."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc

from infra.local.firestore import FirestoreServer
from infra.local.journal import Journal
from infra.local.pubsub import PubsubServer
from infra.local.pubsub.server import SERVER_OPTIONS
from infra.local.token_signer import Signer


@dataclass(frozen=True)
class Backend:
    """The addresses of the two services (``host:port``), their backlog, and the function that ends them."""

    pubsub: str
    firestore: str
    backlog: Callable[[str], dict[str, object] | None] | None
    close: Callable[[], Awaitable[None]]


async def start_local(signer: Signer, journal: Journal) -> Backend:
    """Start our emulators; both answer when this returns."""
    pubsub = PubsubServer(signer, journal)
    firestore = FirestoreServer(journal=journal)
    pubsub_grpc, pubsub_host = _listen(pubsub.add_to)
    firestore_grpc, firestore_host = _listen(firestore.add_to)
    await pubsub_grpc.start()
    await firestore_grpc.start()

    async def close() -> None:
        await pubsub.close()
        await pubsub_grpc.stop(0.2)
        await firestore_grpc.stop(0.2)

    return Backend(pubsub_host, firestore_host, pubsub.backlog, close)


def _listen(add: Callable[[grpc.aio.Server], object]) -> tuple[grpc.aio.Server, str]:
    server = grpc.aio.server(options=SERVER_OPTIONS)
    add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    return server, f"127.0.0.1:{port}"
