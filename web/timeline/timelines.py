"""The counts behind all timelines of the process, by filter and span; the least recently used ones are dropped."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

from infra.firestore.client import Database
from infra.firestore.message_reader import MessageReader, Selection
from infra.logs import Logger
from infra.query.counted import Countable
from web.facets.index_counts import MAX_COUNTED
from web.timeline.bucket_counts import BucketCounts
from web.timeline.delivery_pauses import Pause, read_pauses
from web.timeline.spans import Span

# Each has at most sixty numbers.
_MAX_KEPT = 256


class Timelines:
    """The counts of one process. Thread-safe."""

    def __init__(self, messages: MessageReader, database: Database, subscriptions: Sequence[str], log: Logger) -> None:
        self._messages, self._database, self._subscriptions, self._log = messages, database, subscriptions, log
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Countable, Span, bool], BucketCounts] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, counted: Countable, span: Span, *, with_pauses: bool = True) -> BucketCounts:
        """Return the counts of a filter without times over a span, always the same while they are looked at.

        Reads nothing yet.
        """
        key = (counted, span, with_pauses)
        with self._lock:
            counts = self._kept.get(key)
            if counts is None:
                counts = self._kept[key] = self._made(counted, span, with_pauses)
                if len(self._kept) > _MAX_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return counts

    def _made(self, counted: Countable, span: Span, with_pauses: bool) -> BucketCounts:
        selection = Selection(counted.subscription, counted.tokens)
        shown = (counted.subscription,) if counted.subscription else self._subscriptions

        def count(since: datetime, until: datetime) -> int:
            return self._messages.count(selection, since=since, until=until, up_to=MAX_COUNTED)

        def pauses(since: datetime, until: datetime) -> tuple[Pause, ...]:
            return read_pauses(self._database, shown, since, until) if with_pauses else ()

        return BucketCounts(count, pauses, self._log, span=span)
