"""Firestore servers on loopback: in a thread, as a process, and Google's emulator."""

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc

from infra.local.firestore import FirestoreServer
from infra.local.firestore.rpc.service import SERVER_OPTIONS
from tests.support.measuring import IS_MEASURED
from tests.support.ports import answers, free_port
from tests.support.waiting import wait_until


class LoopThread:
    """A gRPC server on an asyncio loop in a thread; ``add`` puts the handlers on it."""

    def __init__(self, add: Callable[[grpc.aio.Server], None], port: int = 0) -> None:
        self._add = add
        self.port = port
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._server: Any = None
        self.up()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def up(self) -> None:
        """Serve, on the same port as before."""
        self.run(self._up())

    def down(self) -> None:
        """Refuse every connection and break the open ones."""
        self.run(self._server.stop(0))

    def close(self) -> None:
        self.down()
        self.run(_finish_tasks())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _up(self) -> None:
        # Without SO_REUSEPORT a second server on the port is an error; with it, both would share the clients.
        self._server = grpc.aio.server(options=[*SERVER_OPTIONS, ("grpc.so_reuseport", 0)])
        self._add(self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()


async def _finish_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class LocalFirestore(LoopThread):
    """The local Firestore, in this process."""

    def __init__(self, heartbeat_seconds: float = 30.0) -> None:
        self.firestore = FirestoreServer(heartbeat_seconds)
        super().__init__(self.firestore.add_to)


def _serve(pipe: Connection) -> None:
    # A separate process: its CPU time is not the test's, and it can be frozen and killed.
    import asyncio

    from infra.local.firestore import SERVER_OPTIONS, FirestoreServer

    async def run() -> None:
        server = grpc.aio.server(options=SERVER_OPTIONS)
        FirestoreServer().add_to(server)
        port = server.add_insecure_port(f"127.0.0.1:{pipe.recv()}")
        await server.start()
        pipe.send(port)
        await server.wait_for_termination()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(run())


class FirestoreProcess:
    """An empty local Firestore in a separate process."""

    def __init__(self, port: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        ours.send(port)
        assert ours.poll(20), "the local Firestore did not start within 20 s"
        self.port: int = ours.recv()
        ours.close()
        theirs.close()
        self.address = f"127.0.0.1:{self.port}"

    def freeze(self) -> None:
        assert self._process.pid
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process.pid
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        if IS_MEASURED:
            self._process.terminate()
            self._process.join(5)
        self._process.kill()
        self._process.join(5)
        self._process.close()


@contextlib.contextmanager
def local_firestore() -> Iterator[str]:
    """Run an empty local Firestore in a separate process; yield host:port."""
    server = FirestoreProcess()
    try:
        yield server.address
    finally:
        server.close()


EMULATOR_JAR = Path("/usr/lib/google-cloud-sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
EMULATOR = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


@contextlib.contextmanager
def google_emulator() -> Iterator[str]:
    """Run Google's Firestore emulator; yield host:port."""
    java = shutil.which("java")
    assert java, "Google's Firestore emulator needs Java"
    port = free_port()
    process = subprocess.Popen(
        [
            java,
            "-Xmx1g",
            "-Duser.language=en",
            "-cp",
            str(EMULATOR_JAR),
            EMULATOR,
            "start",
            "--host=127.0.0.1",
            f"--port={port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: answers(port), "the start of Google's Firestore emulator", 60)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
