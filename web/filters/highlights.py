"""The saved filters with a colour: rows that match one carry its colour and its name, on pages and in live streams.

``highlight_of`` is pure. It gets a message as its reader sees it, after the mask: no colour tells a hidden value.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.errors import InputError, StoreError
from infra.logs import Logger
from infra.messages.message import Message
from infra.query import Query, parse
from infra.saved_filters import SavedFilter
from infra.saved_filters.colouring import COLOURS, MAX_COLOURED, colour_problem

KEPT_SECONDS = 15.0


@dataclass(frozen=True)
class Highlight:
    """One coloured filter. Equal rules give equal rows."""

    name: str
    colour: str
    query: Query
    subscription: str

    @property
    def reads_payloads(self) -> bool:
        """Tell whether payloads are searched for it."""
        return self.query.reads_payloads

    def matches(self, message: Message) -> bool:
        """Tell whether a message is marked."""
        return self.subscription in ("", message.subscription) and self.query.matches(message)


Highlights = tuple[Highlight, ...]


def highlights_of(filters: Iterable[SavedFilter]) -> Highlights:
    """Return the rules of the coloured filters, by name; one that cannot be used (edited in the console) is skipped."""
    rules = (_rule(saved) for saved in filters if saved.colour in COLOURS)
    return tuple(rule for rule in rules if rule)[:MAX_COLOURED]


def highlight_of(message: Message, highlights: Highlights) -> Highlight | None:
    """Return the first rule that a message matches; None when it matches none."""
    return next((rule for rule in highlights if rule.matches(message)), None)


def _rule(saved: SavedFilter) -> Highlight | None:
    try:
        if colour_problem(saved.arguments):
            return None
        query = parse(saved.arguments.query, datetime.now(UTC))
    except InputError:
        return None
    return Highlight(saved.name, saved.colour, query, saved.arguments.subscription)


class HighlightReader:
    """The current rules, read again when they are older than 15 s. Thread-safe."""

    def __init__(
        self, read: Callable[[], list[SavedFilter]], log: Logger, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._log, self._clock = read, log, clock
        self._lock = threading.Lock()
        self._rules: Highlights = ()
        self._read_at: float | None = None

    def current(self) -> Highlights:
        """Return the rules; the last known ones while the filters cannot be read."""
        with self._lock:
            if self._read_at is not None and self._clock() - self._read_at < KEPT_SECONDS:
                return self._rules
            self._read_at = self._clock()
        try:
            return self.note(self._read())
        except StoreError as exc:
            self._log.warning("The coloured filters cannot be read.", reason=str(exc))
            return self._rules

    def note(self, filters: Iterable[SavedFilter]) -> Highlights:
        """Take the rules of filters that were read just now, and return them."""
        rules = highlights_of(filters)
        with self._lock:
            self._rules, self._read_at = rules, self._clock()
        return rules
