"""Publishes once for a form that is sent twice, as by a double click: both requests get the first one's answer."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

from cachetools import TTLCache

REMEMBER_SECONDS = 3.0  # a person who wants a second copy takes longer, because another page opens
_MAX_REMEMBERED = 1_000
_MAX_WAIT_SECONDS = 300.0  # 500 messages of many megabytes

T = TypeVar("T")


class Once:
    """The actions of one process that run, or have just ended. Thread-safe."""

    def __init__(self, remember_seconds: float = REMEMBER_SECONDS) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, Future[Any]] = {}
        self._ended: TTLCache[Hashable, Future[Any]] = TTLCache(_MAX_REMEMBERED, remember_seconds)

    def run(self, key: Hashable, act: Callable[[], T]) -> T:
        """Return what ``act`` returns; if the same key runs or has just ended, what that one returned or raised.

        A failed action is not remembered: it can be tried again at once.
        """
        with self._lock:
            other: Future[T] | None = self._running.get(key) or self._ended.get(key)
            if other is None:
                own = self._running[key] = Future()
        if other is not None:
            return other.result(_MAX_WAIT_SECONDS)
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
