"""The Firestores that must behave alike: the local one and Google's emulator."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc
import pytest

from infra.local.firestore import SERVER_OPTIONS, FirestoreServer

T = TypeVar("T")
HEARTBEAT_SECONDS = 0.3


@dataclass(frozen=True)
class FirestoreTarget:
    """A Firestore to test: ``name`` is ``local`` or ``google``, ``host`` its address."""

    name: str
    host: str

    def not_google(self, difference: str) -> None:
        """End as an expected failure on Google's emulator, which differs from the service or makes another choice."""
        if self.name == "google":
            pytest.xfail(f"Not on Google's emulator: {difference}")


class FirestoreThread:
    """The local Firestore on an event loop in a thread."""

    def __init__(self) -> None:
        self.firestore = FirestoreServer(heartbeat_seconds=HEARTBEAT_SECONDS)
        self.host = ""
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10), "The local Firestore did not start in 10 s."

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive(), "The local Firestore did not stop in 10 s."

    def call(self, function: Callable[[], T]) -> T:
        """Run ``function`` on the server's loop, the only thread that may use the store."""

        async def run() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = grpc.aio.server(options=SERVER_OPTIONS)
        self.firestore.add_to(server)
        self.host = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        self._ready.set()
        await self._stop.wait()
        await server.stop(None)
