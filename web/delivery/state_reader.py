"""The state of every subscription for a page that is made now: read from Pub/Sub, waited for as a person waits.

While Pub/Sub does not answer, a page shows what was seen last, and says so.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace

from infra.pubsub.delivery_state import Delivery

WAIT_SECONDS = 1.5


class StateReader:
    """Asks for each subscription once at a time, however many pages want to know."""

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
        self._asked: dict[str, Future[Delivery]] = {}

    def read_all(self) -> list[Delivery]:
        """The state of each, in the order of the settings: as it is, or where nobody answers in time, as it was."""
        asked = {name: self._ask(name) for name in self._names}
        wait(asked.values(), self._wait_seconds)
        return [future.result() if future.done() else self._known(name) for name, future in asked.items()]

    def _ask(self, name: str) -> Future[Delivery]:
        with self._lock:
            running = self._asked.get(name)
            if running is None or running.done():
                running = self._asked[name] = Future()
                # Not a pool's: its threads would hold up the end of the process as long as Pub/Sub does not answer.
                threading.Thread(target=self._run, args=(name, running), daemon=True, name="observe").start()
            return running

    def _run(self, name: str, asked: Future[Delivery]) -> None:
        try:
            asked.set_result(self._observe(name))
        except Exception as exc:  # noqa: BLE001 - whoever waits for the answer gets it
            asked.set_exception(exc)

    def _known(self, name: str) -> Delivery:
        last = self._last(name)
        if last is None or last.checked_at is None:
            return Delivery(name, "unknown", warnings=("Pub/Sub does not answer at this moment. Reload to ask again.",))
        said = f"Pub/Sub does not answer at this moment; this is as it was at {last.checked_at:%H:%M:%S} UTC."
        return replace(last, warnings=(said, *last.warnings))
