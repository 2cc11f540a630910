"""Publishes once for a form that is sent twice, as by a double click: both requests get the first one's answer."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from cachetools import TTLCache

from infra.errors import BusyError

REMEMBER_SECONDS = 3.0  # a person who wants a second copy takes longer, because another page opens
_MAX_REMEMBERED = 1_000
_MAX_WAIT_SECONDS = 300.0  # 500 messages of many megabytes

_SENTENCE = (
    "The same form was sent before, and its messages are still being published. Look at the list for what has arrived"
    " before you send it again."
)

T = TypeVar("T")


class Once:
    """The actions of one process that run, or have just ended. Thread-safe."""

    def __init__(self, remember_seconds: float = REMEMBER_SECONDS, max_wait_seconds: float = _MAX_WAIT_SECONDS) -> None:
        self._max_wait_seconds = max_wait_seconds
        self._lock = threading.Lock()
        self._running: dict[Hashable, Future[Any]] = {}
        self._ended: TTLCache[Hashable, Future[Any]] = TTLCache(_MAX_REMEMBERED, remember_seconds)

    def run(self, key: Hashable, act: Callable[[], T]) -> T:
        """Return what ``act`` returns; if the same key runs or has just ended, what that one returned or raised.

        A failed action is not remembered: it can be tried again at once. Raises BusyError when the first request
        runs for longer than this one waits.
        """
        with self._lock:
            other: Future[T] | None = self._running.get(key) or self._ended.get(key)
            if other is None:
                own = self._running[key] = Future()
        if other is not None:
            if other not in wait([other], self._max_wait_seconds).done:
                raise BusyError(_SENTENCE)
            return other.result()
        try:
            result = act()
            own.set_result(result)
        except BaseException as exc:
            own.set_exception(exc)
            raise
        finally:
            with self._lock:
                del self._running[key]
                if own.done() and own.exception() is None:
                    self._ended[key] = own
        return result
