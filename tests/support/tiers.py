"""The tier of a test: how much it starts, and with which of ``make``'s targets it runs."""

import sys
import threading
from collections.abc import Collection
from fnmatch import fnmatch
from typing import Any

TIERS = {
    "unit": "opens no port and starts no process",
    "service": "runs servers on this machine",
    "browser": "drives a real Chromium",
    "faults": "breaks servers, and waits for them to recover",
    "deployment": "plans, packs and documents the deployment",
}
_FOLDERS = {"browser": "browser", "faults": "faults", "terraform": "deployment"}
# Fixtures that start a server or a process, or lead to one by a parameter.
_SERVERS = {
    "acting_app",
    "app",
    "bench",
    "closed_cloud",
    "cloud",
    "firestore",
    "firestore_target",
    "firestore_thread",
    "google_emulators",
    "google_firestore_host",
    "keys",
    "loop",
    "module_cloud",
    "own_cloud",
    "receiver",
    "store",
}
# Modules that start them without a fixture.
_SERVICES = (
    "tests/benchmarks/test_live_streams.py",
    "tests/docs/test_docs.py",
    "tests/functions/process/*",
    "tests/functions/test_google_keys.py",
    "tests/house/test_imports.py",
    "tests/house/test_prose.py",
    "tests/house/test_skips.py",
    "tests/house/test_supply_chain.py",
    "tests/infra/cli/*",
    "tests/infra/local/test_loopback_only.py",
    "tests/infra/local/test_main.py",
    "tests/infra/test_logs.py",
    "tests/infra/web_server/test_worker.py",
    "tests/load/test_stages.py",
    "tests/web/access/test_first_admin.py",
    "tests/web/live/test_stream.py",
    "tests/web/test_app.py",
    "tests/web/timeline/test_bucket_counts.py",
)
# Audit events (docs.python.org/3/library/audit_events.html). gRPC's own sockets raise none.
_FORBIDDEN = {"socket.bind", "socket.connect", "subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}


def tier_of(path: str, fixtures: Collection[str]) -> str:
    """Return the tier of a test by its file, relative to the root, and the fixtures it uses."""
    _, folder, *_ = path.split("/")
    if folder in _FOLDERS:
        return _FOLDERS[folder]
    starts_servers = not _SERVERS.isdisjoint(fixtures) or any(fnmatch(path, pattern) for pattern in _SERVICES)
    return "service" if starts_servers else "unit"


class Guard:
    """Lets a unit test fail when it opens a port or starts a process in the main thread.

    Other threads may belong to servers that earlier tests started.
    """

    def __init__(self) -> None:
        self.is_on = False
        sys.addaudithook(self._watch)

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.is_on and event in _FORBIDDEN and threading.current_thread() is threading.main_thread():
            raise AssertionError(
                f"a unit test caused {event} {arguments[:2]!r}: name its server in tests/support/tiers.py"
            )
