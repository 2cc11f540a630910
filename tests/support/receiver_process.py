"""What the receiver's tests, faults and benchmarks run on: a key server, a Firestore and the receiver's own process.

Everything is real and on loopback: functions-framework, HTTP, gRPC. Ports are any free ones; every wait is bounded.
"""

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from infra.local.token_signer import Signer, push_claims

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "subscope-test"
SUBSCRIPTION = "builds"
FULL_SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION}"
AUDIENCE = "https://receiver.example/push"
ACCOUNT = "push@subscope-test.iam.gserviceaccount.com"
EMULATOR_JAR = Path("/usr/lib/google-cloud-sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")


EMULATOR = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait for ``condition``; fail with a sentence after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.02)


def answers(port: int) -> bool:
    """Whether something accepts connections on ``port``."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class KeyServer:
    """Serves a signer's certificates, or misbehaves.

    ``mode`` is one of ok, error, missing, slow, html, empty, half, long, drip.
    """

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.mode = "ok"
        self.cache_control = "public, max-age=20000"
        self.fetches = 0
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/certs"

    def close(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def body(self) -> bytes:
        certificates = self.signer.certificates()
        match self.mode:
            case "html":
                return b"<!doctype html><title>Error</title>"
            case "empty":
                return b"{}"
            case "half":
                return json.dumps({"broken": "-----BEGIN CERTIFICATE-----\nAAAA", **certificates}).encode()
            case "long":
                return json.dumps(certificates).encode() + b" " * 256 * 1024
            case _:
                return json.dumps(certificates).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keys = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                keys.fetches += 1
                if keys.mode == "slow":
                    keys._stopping.wait(30)
                body = keys.body()
                self.send_response({"error": 500, "missing": 404}.get(keys.mode, 200))
                self.send_header("Cache-Control", keys.cache_control)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self._write(body)

            def _write(self, body: bytes) -> None:
                if keys.mode != "drip":
                    self.wfile.write(body)
                    return
                for byte in body:
                    if keys._stopping.wait(0.5):
                        return
                    self.wfile.write(bytes([byte]))

            def log_message(self, format: str, *args: Any) -> None:
                return

        return Handler


@dataclass
class Answer:
    """What an HTTP request got."""

    status: int
    text: str
    headers: Mapping[str, str]


@dataclass
class ReceiverProcess:
    """The receiver as it is deployed: functions-framework serving main.py, in its own process group."""

    firestore: str
    certs_url: str
    extra: Mapping[str, str] = field(default_factory=dict)
    directory: Path = ROOT
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.log_file = Path(tempfile.mkstemp(prefix="receiver-", suffix=".log")[1])
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "PYTHONUNBUFFERED": "1",
            "FIRESTORE_EMULATOR_HOST": self.firestore,
            "OIDC_CERTS_URL": self.certs_url,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "PUSH_AUDIENCE": AUDIENCE,
            "PUSH_SERVICE_ACCOUNT": ACCOUNT,
            "SUBSCRIPTIONS": SUBSCRIPTION,
            **self.extra,
        }

    def start(self) -> "ReceiverProcess":
        command = [str(Path(sys.executable).parent / "functions-framework"), "--target", "receive"]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *command,
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                    "--source",
                    str(self.directory / "main.py"),
                ],
                cwd=self.directory,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: self._ended() or answers(self.port), "the receiver's start")
        assert not self._ended(), f"the receiver ended at once:\n{self.log_file.read_text()}"
        return self

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def workers(self) -> list[int]:
        """The processes that answer: the children of gunicorn's master."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the whole group; SIGKILL after five seconds."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, how)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(5)
        self._process = None

    def close(self) -> None:
        self.stop()
        self.log_file.unlink(missing_ok=True)

    def events(self) -> list[dict[str, Any]]:
        """The JSON lines it logged."""
        lines = self.log_file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def rss_bytes(self) -> int:
        """The largest resident set of a worker."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.workers()]
        return max(pages) * os.sysconf("SC_PAGE_SIZE")

    def peak_rss_bytes(self) -> int:
        """The largest resident set that a worker ever had."""
        return max(_status_kib(pid, "VmHWM") for pid in self.workers()) * 1024

    def cpu_seconds(self) -> float:
        """User and system time of the master and its workers."""
        ticks = 0
        for pid in (self.pid, *self.workers()):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def request(
        self, method: str, body: bytes | None, headers: Mapping[str, str], timeout_seconds: float = 30.0
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_seconds)
        try:
            connection.request(method, "/", body, dict(headers))
            reply = connection.getresponse()
            return Answer(reply.status, reply.read().decode(), {k.lower(): v for k, v in reply.getheaders()})
        finally:
            connection.close()

    def push(self, body: bytes, token: str, **headers: str) -> Answer:
        """Push ``body`` with ``token``."""
        return self.request("POST", body, {"Authorization": f"Bearer {token}", **headers})


def _status_kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise AssertionError(f"/proc/{pid}/status has no {name}")


def envelope(
    message_id: str = "1",
    data: bytes = b"hello",
    attributes: Mapping[str, str] | None = None,
    **message: object,
) -> dict[str, Any]:
    """A push envelope as the service sends it, both spellings included."""
    published = "2026-01-02T03:04:05.678Z"
    return {
        "message": {
            "attributes": dict(attributes or {}),
            "data": base64.b64encode(data).decode(),
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": published,
            "publish_time": published,
            **message,
        },
        "subscription": FULL_SUBSCRIPTION,
    }


def push_body(message_id: str = "1", data: bytes = b"hello", attributes: Mapping[str, str] | None = None) -> bytes:
    """The bytes of ``envelope``."""
    return json.dumps(envelope(message_id, data, attributes)).encode()


def claims(**changed: object) -> dict[str, object]:
    """The claims of a good token issued now, with ``changed`` put in; a value of ... leaves a claim out."""
    full = {**push_claims(ACCOUNT, AUDIENCE, time.time()), **changed}
    return {name: value for name, value in full.items() if value is not ...}


@contextlib.contextmanager
def google_emulator() -> Iterator[str]:
    """Google's Firestore emulator as host:port."""
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
