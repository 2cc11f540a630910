"""The viewer as production serves it, gunicorn in a separate process, and HTTP clients for it."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from infra.accounts.session_store import SessionStore
from infra.accounts.user_store import UserStore
from tests.support.firestore.settings import environ_for
from tests.support.firestore.writer import Writer
from tests.support.measuring import IS_MEASURED
from tests.support.ports import free_port
from tests.support.viewer.feed import Frames
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
_GUNICORN = (sys.executable, "-m", "gunicorn", "--config", "web/gunicorn.conf.py", "--bind")


class HttpVisitor:
    """An HTTP client with a session's cookie."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.port, self.cookie = port, cookie

    def request(self, path: str, method: str = "GET", **headers: str) -> "Answer":
        """Send one request; the body of the answer is not read yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers={"Cookie": f"subscope={self.cookie}", **headers})
            # The connection gives up its socket when a response ends it: it is kept here first.
            return Answer(connection.sock, connection.getresponse())
        except OSError:
            connection.close()
            raise

    def status(self, path: str, method: str = "GET", **headers: str) -> int:
        with contextlib.closing(self.request(path, method, **headers)) as answer:
            return answer.response.status


class Server(HttpVisitor):
    """A running gunicorn. ``cookie`` is that of a signed-in viewer."""

    def __init__(self, firestore: str, output: Path, app: str, environ: dict[str, str]) -> None:
        super().__init__(free_port())
        self.output = output
        # No Pub/Sub: the stream does not need it.
        needed = environ_for(firestore) | {"PUBSUB_EMULATOR_HOST": "127.0.0.1:1"} | environ
        self._environ = {**os.environ, **needed}
        self._app = app
        self.start()

    def start(self) -> None:
        """Start gunicorn, always on the same port."""
        with self.output.open("a") as output:
            self.process = subprocess.Popen(
                [*_GUNICORN, f"127.0.0.1:{self.port}", self._app],
                cwd=ROOT,
                env=self._environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._answers, "the viewer's answer", 30)

    def terminate(self) -> float:
        """Send SIGTERM as Cloud Run does; return the seconds until the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill master and worker, as a crash of the machine does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)

    def sign_in(self, writer: Writer, name: str = "viewer") -> None:
        """Create a user and a session, as the sign-in form does."""
        # Google's document client finds an emulator only through the environment.
        os.environ["FIRESTORE_EMULATOR_HOST"] = self._environ["FIRESTORE_EMULATOR_HOST"]
        try:
            users = UserStore(writer.database)
            self.person = users.add(f"{name}{self.port}", "correct horse battery", "viewer", by="test")
            self.user = self.person.name
            self.cookie = SessionStore(writer.database).create(self.person)
        finally:
            del os.environ["FIRESTORE_EMULATOR_HOST"]

    def rss_bytes(self) -> int:
        """Return the resident set of the worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        pages = int(Path(f"/proc/{children[0]}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the viewer ended: {self.output.read_text()}"
        with contextlib.suppress(OSError):
            return self.status("/healthz") == 200
        return False


@contextlib.contextmanager
def served(
    firestore: str, writer: Writer, directory: Path, app: str = "web:create_app()", **environ: str
) -> Iterator[Server]:
    """Run the viewer over a Firestore, with a signed-in viewer."""
    server = Server(firestore, directory / "viewer.txt", app, environ)
    try:
        server.sign_in(writer)
        yield server
    finally:
        if IS_MEASURED:
            server.terminate()
        server.kill()


class Answer:
    """A response and its socket."""

    def __init__(self, connection: socket.socket, response: http.client.HTTPResponse) -> None:
        self.socket, self.response = connection, response

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.response.close()
        self.socket.close()


class HttpClient(Frames):
    """Reads /live in a thread until it ends, at ``ended_at``."""

    def __init__(self, server: HttpVisitor, last_event_id: str = "", **query: str) -> None:
        super().__init__()
        self.ended_at: float | None = None
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        self._answer = self._open(server, f"/live?{urlencode(query)}", headers)
        self.response = self._answer.response
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def last_id(self) -> str:
        return next((frame.id for frame in reversed(self.frames) if frame.id), "")

    def close(self) -> None:
        """Close the connection as a closed tab does."""
        with contextlib.suppress(OSError):
            self._answer.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._answer.close()

    def _open(self, server: HttpVisitor, path: str, headers: dict[str, str]) -> Answer:
        # The slot of a client that left is free again after a second or two.
        deadline = time.monotonic() + 5
        while (answer := server.request(path, **headers)).response.status != 200:
            answer.close()
            assert time.monotonic() < deadline, f"/live answered {answer.response.status} for 5 s"
            time.sleep(0.1)
        return answer

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            while chunk := self.response.read1(65536):
                self.feed(chunk)
        self.ended_at = time.monotonic()


class DeafClient:
    """A client that opens /live, waiting for a free slot, and reads nothing after the status."""

    def __init__(self, server: HttpVisitor) -> None:
        deadline = time.monotonic() + 10
        while (status := self._open(server)) != b"HTTP/1.1 200":
            self.socket.close()
            assert time.monotonic() < deadline, f"/live answered {status!r} for 10 s"
            time.sleep(0.1)

    def close(self) -> None:
        self.socket.close()

    def _open(self, server: HttpVisitor) -> bytes:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", server.port))
        request = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: subscope={server.cookie}\r\n\r\n"
        self.socket.sendall(request.encode())
        return self.socket.recv(12, socket.MSG_WAITALL)
