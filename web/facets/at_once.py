"""Run several calls of Firestore at once, in daemon threads: the process could not end before those of a pool."""

import threading
from collections import deque
from collections.abc import Callable, Iterable

CONCURRENT_CALLS = 6


def run_at_once(calls: Iterable[Callable[[], None]]) -> None:
    """Run the calls in their order, six at a time. After a failure no further one starts; then it is raised."""
    left, failed = deque(calls), list[Exception]()

    def work() -> None:
        while not failed:
            try:
                call = left.popleft()
            except IndexError:
                return
            try:
                call()
            except Exception as exc:  # noqa: BLE001 - raised again after all threads have ended
                failed.append(exc)

    threads = [
        threading.Thread(target=work, daemon=True, name="count") for _ in range(min(CONCURRENT_CALLS, len(left)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
