"""The local cloud as a process, started as users start it; it must leave no process behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import google.cloud.pubsub_v1 as pubsub_v1  # type: ignore[import-untyped]
from google.cloud import firestore

from infra.accounts.session_store import SessionStore
from infra.accounts.user import Role
from infra.accounts.user_store import UserStore
from infra.firestore.client import Database
from infra.settings import console_settings
from tests.support.accounts import PASSWORD
from tests.support.waiting import wait_until

ROOT = Path(__file__).absolute().parents[2]
START_SECONDS = {"local": 30.0, "google": 90.0}
STOP_SECONDS = 6.0


class Cloud:
    """A running local cloud, with Google's clients for it."""

    def __init__(self, process: subprocess.Popen[bytes], ready_file: Path) -> None:
        self.process = process
        self.ready_file = ready_file
        self._first = self.ready()
        self._stack = contextlib.ExitStack()
        self._clients: dict[str, Any] = {}

    def ready(self) -> dict[str, Any]:
        """Return the current content of the ready file."""
        content: dict[str, Any] = json.loads(self.ready_file.read_text())
        return content

    def __getitem__(self, key: str) -> str:
        """Return one of the ready file's texts, for example ``cloud["viewer"]``."""
        value = self._first[key]
        assert isinstance(value, str), f"{key} is not a text; use ready()"
        return value

    @property
    def environ(self) -> dict[str, str]:
        """The environment of both services and of Google's clients."""
        return dict(self._first["environment"])

    @property
    def topic_path(self) -> str:
        return f"projects/{self['project']}/topics/{self['topic']}"

    @property
    def subscription_path(self) -> str:
        return f"projects/{self['project']}/subscriptions/{self['subscription']}"

    def publisher(self) -> pubsub_v1.PublisherClient:
        """Return Google's publisher client; it sends each message at once."""
        settings = pubsub_v1.types.BatchSettings(max_messages=1)
        return self._client("publisher", lambda: pubsub_v1.PublisherClient(settings), lambda one: one.transport.close())

    def subscriber(self) -> pubsub_v1.SubscriberClient:
        """Return Google's subscriber client."""
        return self._client("subscriber", pubsub_v1.SubscriberClient, lambda one: one.close())

    def firestore(self) -> firestore.Client:
        """Return Google's Firestore client."""
        client: firestore.Client = self._client(
            "firestore",
            lambda: firestore.Client(project=self["project"]),
            lambda one: one._firestore_api.transport.close(),
        )
        return client

    def publish(self, data: bytes = b"", ordering_key: str = "", **attributes: str) -> str:
        """Publish to the monitored topic and return the message id."""
        future = self.publisher().publish(self.topic_path, data, ordering_key, **attributes)
        message_id: str = future.result(timeout=10)
        return message_id

    def backlog(self, subscription: str = "") -> dict[str, Any]:
        """Return how many messages wait and since when, of the monitored subscription unless another id is given."""
        path = f"projects/{self['project']}/subscriptions/{subscription or self['subscription']}"
        query = urllib.parse.urlencode({"subscription": path})
        found: dict[str, Any] = json.loads(_get(f"{self['backlog_url']}?{query}"))
        return found

    def token(self, **claims: object) -> str:
        """Return a push token signed by this cloud's key; ``claims`` replace those of a valid one."""
        return _get(self["token_url"], json.dumps(claims).encode())

    def rotate_keys(self) -> None:
        """Sign with a new key from now on; the last key's certificate is still served."""
        _get(self["rotate_url"], b"")

    def session(self, role: Role = "admin") -> str:
        """Create a session of the administrator, or of ``a-viewer`` or ``an-operator``; return its cookie."""
        # Google's document client reads the emulator's address when it is first used.
        with patch.dict(os.environ, self.environ):
            database = self._client("database", lambda: Database(console_settings(self.environ)), Database.close)
            users = UserStore(database)
            # The viewer answers before it has hashed the administrator's password.
            wait_until(lambda: users.get(self["admin_user"]), "the local cloud's administrator")
            user = users.get(self._user_of(role))
            if user is None:
                user = users.add(self._user_of(role), PASSWORD, role, by=self["admin_user"])
            return SessionStore(database).create(user)

    def _user_of(self, role: Role) -> str:
        return {"admin": self["admin_user"], "operator": "an-operator", "viewer": "a-viewer"}[role]

    def pid(self, name: str) -> int | None:
        """Return the process id of ``receiver`` or ``viewer``; None while it is down."""
        pid: int | None = self.ready()["processes"][name]
        return pid

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Kill ``receiver`` or ``viewer`` as a crash would, and return the id it had."""
        pid = self.pid(name)
        assert pid is not None, f"the {name} is not running"
        os.kill(pid, number)
        return pid

    def restart_child(self, name: str) -> None:
        """Kill ``receiver`` or ``viewer`` and wait until its successor answers at the same address."""
        dead = self.kill(name)
        wait_until(lambda: self.pid(name) not in (dead, None), f"the restart of the {name}")
        wait_until(lambda: _answers(self[name]), f"the answer of the restarted {name}", 15)

    def groups(self) -> list[int]:
        """Return the process groups of the running services."""
        return [pid for pid in self.ready()["processes"].values() if pid]

    def close_clients(self) -> None:
        """Close the clients of ``publisher``, ``subscriber`` and ``firestore``."""
        self._stack.close()
        self._clients.clear()

    def _client(self, kind: str, make: Callable[[], Any], close: Callable[[Any], None]) -> Any:
        if kind not in self._clients:
            # Google's clients read the emulators' addresses in their constructors.
            with patch.dict(os.environ, self.environ):
                self._clients[kind] = make()
            self._stack.callback(close, self._clients[kind])
        return self._clients[kind]


@contextlib.contextmanager
def start_cloud(
    directory: Path,
    emulators: str = "local",
    environ: Mapping[str, str] | None = None,
    arguments: tuple[str, ...] = ("--no-samples", "--port", "0"),
    module: str = "infra.local",
    stop_seconds: float = STOP_SECONDS,
) -> Iterator[Cloud]:
    """Run ``python -m infra.local``; afterwards assert that it ended in time and left no process.

    ``environ`` is added to this process's environment, for example ``{"MAX_STREAMS": "2"}``. ``module`` is another
    start of the local cloud with the same command line.
    """
    ready_file = directory / "ready.json"
    process = launch(ready_file, ("--emulators", emulators, *arguments), environ or {}, module)
    with contextlib.ExitStack() as stack:
        stack.callback(stop, process, stop_seconds)
        seconds = START_SECONDS[emulators]
        wait_until(lambda: ready_file.exists() or process.poll() is not None, "the local cloud's ready file", seconds)
        assert process.poll() is None, f"it ended at once: {output_of(ready_file).read_text()}"
        cloud = Cloud(process, ready_file)
        stack.callback(cloud.close_clients)
        groups = cloud.groups()
        yield cloud
        groups += cloud.groups() if ready_file.exists() else []
    wait_until(lambda: not any(map(is_alive, groups)), f"the end of the process groups {groups}", 5)


def launch(
    ready_file: Path, arguments: tuple[str, ...], environ: Mapping[str, str], module: str = "infra.local"
) -> subprocess.Popen[bytes]:
    """Start the command line; its output goes to a file beside the ready file."""
    command = [sys.executable, "-m", module, "--ready-file", str(ready_file), *arguments]
    with output_of(ready_file).open("a") as output:
        return subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environ}, stdout=output, stderr=subprocess.STDOUT
        )


def output_of(ready_file: Path) -> Path:
    """Return the path of the command line's output."""
    return ready_file.with_name("output.txt")


def stop(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> None:
    """Send SIGTERM and assert that the process ended in time."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"the local cloud did not end within {seconds:g} s of SIGTERM") from None


def is_alive(group: int) -> bool:
    """Tell whether a process group still has a process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _get(url: str, body: bytes | None = None) -> str:
    with urllib.request.urlopen(url, body, timeout=5) as response:
        text: str = response.read().decode()
        return text


def _answers(url: str) -> bool:
    try:
        _get(url)
    except urllib.error.HTTPError as answer:
        answer.close()
        return True
    except OSError:
        return False
    return True


StartCloud = Callable[..., Cloud]
