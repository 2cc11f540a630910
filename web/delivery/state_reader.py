"""Read the current state of every subscription from Pub/Sub, for a page that a person waits for.

While Pub/Sub does not answer, the page shows the last known state, with a warning.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace

from infra.pubsub.delivery_state import Delivery

WAIT_SECONDS = 1.5


class StateReader:
    """Reads each subscription once at a time; all pages that ask during that time share the answer."""

    def __init__(
        self,
        names: Sequence[str],
        observe: Callable[[str], Delivery],
        last: Callable[[str], Delivery | None],
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._names, self._observe, self._last = names, observe, last
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._reads: dict[str, Future[Delivery]] = {}

    def read_all(self) -> list[Delivery]:
        """Return the state of each, in the order of the settings; the last known if Pub/Sub does not answer in time."""
        futures = {name: self._read(name) for name in self._names}
        wait(futures.values(), self._wait_seconds)
        return [future.result() if future.done() else self._last_known(name) for name, future in futures.items()]

    def _read(self, name: str) -> Future[Delivery]:
        with self._lock:
            running = self._reads.get(name)
            if running is None or running.done():
                running = self._reads[name] = Future()
                # Not a pool: the process could not end before its threads, and those wait for Pub/Sub.
                threading.Thread(target=self._run, args=(name, running), daemon=True, name="observe").start()
            return running

    def _run(self, name: str, future: Future[Delivery]) -> None:
        try:
            future.set_result(self._observe(name))
        except Exception as exc:  # noqa: BLE001 - the waiting page raises it
            future.set_exception(exc)

    def _last_known(self, name: str) -> Delivery:
        last = self._last(name)
        if last is None or last.checked_at is None:
            return Delivery(name, "unknown", warnings=("Pub/Sub does not answer now. Reload to try again.",))
        warning = f"Pub/Sub does not answer now; this is the state of {last.checked_at:%H:%M:%S} UTC."
        return replace(last, warnings=(warning, *last.warnings))
