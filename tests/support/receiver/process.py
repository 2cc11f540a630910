"""The receiver as a process: functions-framework on a free port of loopback, HTTP and gRPC."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.measuring import IS_MEASURED, measuring_environ
from tests.support.ports import answers, free_port
from tests.support.receiver.push import ACCOUNT, AUDIENCE, PROJECT, SUBSCRIPTION
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Answer:
    """The answer to an HTTP request."""

    status: int
    text: str
    headers: Mapping[str, str]


@dataclass
class ReceiverProcess:
    """The receiver as it is deployed: functions-framework serves ``source``, in a separate process group."""

    firestore: str
    certs_url: str
    extra: Mapping[str, str] = field(default_factory=dict)
    directory: Path = ROOT
    source: str = "main.py"
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.log_file = Path(tempfile.mkstemp(prefix="receiver-", suffix=".log")[1])
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(self.directory),
            **measuring_environ(),
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
        program = [str(Path(sys.executable).parent / "functions-framework")]
        if IS_MEASURED:
            program = [sys.executable, str(Path(__file__).with_name("measured_framework.py"))]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *program,
                    "--target",
                    "receive",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                    "--source",
                    str(self.directory / self.source),
                ],
                cwd=self.directory,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: self._ended() or answers(self.port), "the receiver's start", 20)
        assert not self._ended(), f"the receiver ended at once:\n{self.log_file.read_text()}"
        return self

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def workers(self) -> list[int]:
        """Return the processes that answer: the children of gunicorn's master."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the whole process group, with SIGKILL after five seconds."""
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
        """Return the JSON lines of the log."""
        lines = self.log_file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def rss_bytes(self) -> int:
        """Return the largest resident set of a worker."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.workers()]
        return max(pages) * os.sysconf("SC_PAGE_SIZE")

    def peak_rss_bytes(self) -> int:
        """Return the largest resident set that a worker ever had."""
        return max(_status_kib(pid, "VmHWM") for pid in self.workers()) * 1024

    def cpu_seconds(self) -> float:
        """Return the user and system time of the master and its workers."""
        ticks = 0
        for pid in (self.pid, *self.workers()):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def request(
        self, method: str, body: bytes | None, headers: Mapping[str, str], timeout_seconds: float = 30.0
    ) -> Answer:
        """Send one request on a new connection."""
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
