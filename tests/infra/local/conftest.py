"""Google's own Firestore clients against the local Firestore and, where it is installed, Google's emulator."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore import FirestoreClient

from tests.support.firestore.targets import FirestoreTarget, FirestoreThread

T = TypeVar("T")


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
    # The main class, as in the SDK's script. The emulator has messages in English only.
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
    """A project of this test only; its databases are empty."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def client(
    firestore_target: FirestoreTarget, project: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[firestore.Client]:
    """Google's client, as an application creates it."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_target.host)
    client = firestore.Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    yield client
    client.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def api(client: firestore.Client) -> FirestoreClient:
    """The generated client below ``client``, for calls that the client hides."""
    api: FirestoreClient = client._firestore_api
    return api
