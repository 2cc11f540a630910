"""Whether messages match a filter, decided once for all clients with the same filter. No Firestore and no HTTP here."""

import threading
from collections.abc import Callable, Hashable
from weakref import WeakValueDictionary

from infra.messages.message import Message

# Clients read close to the newest message, so few verdicts are enough.
_MAX_HELD = 128


class Verdicts:
    """The verdicts of one filter about states of messages. Thread-safe."""

    def __init__(self, matches: Callable[[Message], bool]) -> None:
        self._matches = matches
        self._lock = threading.Lock()
        self._held: dict[tuple[str, int], bool] = {}

    def __call__(self, message: Message) -> bool:
        """Return whether a message matches; nothing else of a stored message changes than ``deliveries``."""
        state = (message.id, message.deliveries)
        known = self._held.get(state)
        if known is not None:
            return known
        # One thread evaluates, the others wait for its verdict: for at most the time of one message.
        with self._lock:
            known = self._held.get(state)
            if known is None:
                known = self._held[state] = self._matches(message)
                while len(self._held) > _MAX_HELD:
                    del self._held[next(iter(self._held))]
        return known


class SharedVerdicts:
    """The filters of all clients; one is forgotten with its last client. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_filter: WeakValueDictionary[Hashable, Verdicts] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._by_filter)

    def of(self, key: Hashable, matches: Callable[[Message], bool]) -> Verdicts:
        """Return the verdicts of the filter that ``key`` stands for; ``matches`` decides if they are new."""
        with self._lock:
            verdicts = self._by_filter.get(key)
            if verdicts is None:
                verdicts = self._by_filter[key] = Verdicts(matches)
            return verdicts
