"""Google's own Firestore clients against the local Firestore and, where it is installed, Google's emulator."""

import asyncio
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore import FirestoreClient

from infra.local.firestore import SERVER_OPTIONS, FirestoreServer

T = TypeVar("T")
HEARTBEAT_SECONDS = 0.3


@dataclass(frozen=True)
class FirestoreTarget:
    """A Firestore to test: ``name`` is ``local`` or ``google``, ``host`` its address."""

    name: str
    host: str

    def skip_google(self, difference: str) -> None:
        """Skip on Google's emulator where it differs from the service, or from a choice the service leaves."""
        if self.name == "google":
            pytest.skip(f"Not on Google's emulator: {difference}")


class FirestoreThread:
    """The local Firestore on an event loop of its own."""

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
        """Run ``function`` on the server's loop, where its store may be touched."""

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


@pytest.fixture(scope="session")
def firestore_thread() -> Iterator[FirestoreThread]:
    thread = FirestoreThread()
    thread.start()
    yield thread
    thread.stop()


def _emulator_jar() -> Path | None:
    gcloud = shutil.which("gcloud")
    roots = [Path("/usr/lib/google-cloud-sdk")]
    if gcloud:
        roots.insert(0, Path(gcloud).resolve().parent.parent)
    jars = (root / "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar" for root in roots)
    return next((jar for jar in jars if jar.exists()), None)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def google_firestore_host() -> Iterator[str]:
    jar, java = _emulator_jar(), shutil.which("java")
    if jar is None or java is None:
        pytest.skip("Google's Firestore emulator is not installed: it needs gcloud's component and Java.")
    port = _free_port()
    # The main class as the SDK's own script names it; the emulator knows only English messages.
    program = [
        java,
        "-Duser.language=en",
        "-cp",
        str(jar),
        "com.google.cloud.datastore.emulator.firestore.CloudFirestore",
    ]
    command = [*program, "start", "--host=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for_port(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "Google's Firestore emulator ended while it was starting."
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("Google's Firestore emulator did not answer in 60 s.")


@pytest.fixture(params=["local", pytest.param("google", marks=pytest.mark.emulators)])
def firestore_target(request: pytest.FixtureRequest) -> FirestoreTarget:
    if request.param == "google":
        return FirestoreTarget("google", request.getfixturevalue("google_firestore_host"))
    return FirestoreTarget("local", request.getfixturevalue("firestore_thread").host)


@pytest.fixture
def project() -> str:
    """A project that no other test has: its databases begin empty."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def client(
    firestore_target: FirestoreTarget, project: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[firestore.Client]:
    """Google's client, as an application makes it."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_target.host)
    client = firestore.Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    yield client
    client.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def api(client: firestore.Client) -> FirestoreClient:
    """The generated client below ``client``, for what that one hides."""
    api: FirestoreClient = client._firestore_api
    return api


def eventually(read: Callable[[], T], wanted: Any, seconds: float = 10.0) -> None:
    """Wait until ``read()`` is ``wanted``; fail with what it was instead."""
    deadline = time.monotonic() + seconds
    while (found := read()) != wanted:
        assert time.monotonic() < deadline, f"After {seconds:g} s: {found!r}, not {wanted!r}."
        time.sleep(0.01)
