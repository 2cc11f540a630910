"""Exact counts by Firestore's indexes: kept for ten seconds and shared by all who look.

A count is billed as one read for each 1,000 messages, and at least one. A look costs a count for each term, and one of
the messages with more fields than the index holds.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from infra.errors import StoreError
from infra.firestore.message_reader import MessageReader, Selection
from infra.messages.message import MORE_TOKENS
from infra.query.counted import Countable
from web.facets.at_once import run_at_once

MAX_TERMS = 30
MAX_COUNTED = 100_000
KEPT_SECONDS = 10.0
# Another request that counts the same has its own deadline, so this one is longer.
_WAIT_SECONDS = 15.0


# The filter as typed, the subscription and the tokens.
_Key = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of messages; ``is_at_least``: more may match, unseen by the index or beyond the limit of a count."""

    count: int
    is_at_least: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    count: Future[int]
    until: float


class IndexCounts:
    """The counts of one process. Thread-safe."""

    def __init__(self, messages: MessageReader, clock: Callable[[], float] = time.monotonic) -> None:
        self._messages, self._clock = messages, clock
        self._lock = threading.Lock()
        self._kept: dict[_Key, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def count(self, look: str, wanted: Sequence[Countable]) -> list[Counted]:
        """Count each of ``wanted``, at most 30. Raises StoreError.

        ``look`` is the filter as typed: looks with the same one share their counts, although ``after:10m`` means a
        later time in each.
        """
        asked = {self._key(look, one): one for one in wanted}
        if any(one.tokens for one in wanted):
            for one in wanted:
                more = Countable(one.subscription, (MORE_TOKENS,), one.after, one.before)
                asked[self._key(look, more)] = more
        counts = self._counts(asked)
        return [self._counted(look, one, counts) for one in wanted]

    def _counted(self, look: str, one: Countable, counts: dict[_Key, int]) -> Counted:
        count = counts[self._key(look, one)]
        unseen = one.tokens and counts[(look, one.subscription, (MORE_TOKENS,))]
        return Counted(count, is_at_least=bool(unseen) or count >= MAX_COUNTED)

    def _counts(self, asked: dict[_Key, Countable]) -> dict[_Key, int]:
        found: dict[_Key, Future[int]] = {}
        missing: dict[_Key, Future[int]] = {}
        with self._lock:
            now = self._clock()
            self._kept = {key: kept for key, kept in self._kept.items() if kept.until > now}
            for key in asked:
                if key not in self._kept:
                    missing[key] = Future()
                    self._kept[key] = _Kept(missing[key], now + KEPT_SECONDS)
                found[key] = self._kept[key].count
        try:
            run_at_once(partial(self._count_one, asked[key], count) for key, count in missing.items())
        except BaseException:
            self._forget(missing)
            raise
        try:
            return {key: count.result(_WAIT_SECONDS) for key, count in found.items()}
        except TimeoutError as exc:
            raise StoreError("The messages could not be counted in time.") from exc

    def _count_one(self, wanted: Countable, count: Future[int]) -> None:
        selection = Selection(wanted.subscription, wanted.tokens)
        count.set_result(self._messages.count(selection, since=wanted.after, until=wanted.before, up_to=MAX_COUNTED))

    def _forget(self, missing: dict[_Key, Future[int]]) -> None:
        """Let the next look count again what failed, and end the wait of the others."""
        with self._lock:
            for key, count in missing.items():
                if not count.done():
                    self._kept.pop(key, None)
                    count.set_exception(StoreError("The messages could not be counted."))

    @staticmethod
    def _key(look: str, one: Countable) -> _Key:
        return look, one.subscription, one.tokens
