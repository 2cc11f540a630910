"""The messages that an address asks for by ``?q=``, ``?subscription=`` and ``?before=``: the list's own filter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.errors import InputError
from infra.firestore.reads import Messages, Selection
from infra.firestore.search import Found, search
from infra.message import Cursor, Message
from infra.query import Query, parse
from web.services import services

_AT_ONCE = 100


@dataclass(frozen=True)
class Filter:
    """What is asked for; ``text`` is the filter as typed."""

    text: str
    query: Query
    selection: Selection
    before: Cursor | None

    @property
    def arguments(self) -> dict[str, str]:
        """The address's arguments, without empty ones."""
        given = {"q": self.text, "subscription": self.selection.subscription, "before": str(self.before or "")}
        return {name: value for name, value in given.items() if value}


def read_filter(arguments: Mapping[str, str]) -> Filter:
    """The filter of an address or a form. Raises InputError (400)."""
    text = arguments.get("q", "").strip()
    return Filter(
        text, parse(text, datetime.now(UTC)), Selection(_subscription(arguments)), _before(arguments.get("before", ""))
    )


def find(wanted: Filter, limit: int) -> Found:
    """Up to ``limit`` messages that match, newest first, within the bounds of one search. Raises StoreError."""
    return search(services().messages, wanted.selection, wanted.query, before=wanted.before, limit=limit)


def each(messages: Messages, wanted: Filter) -> Iterator[Message]:
    """Every message that matches, newest first, however far back: never more than some in memory. Raises StoreError."""
    before = wanted.before
    while True:
        found = search(messages, wanted.selection, wanted.query, before=before, limit=_AT_ONCE)
        yield from found.messages
        if found.older is None:
            return
        before = found.older


def _subscription(arguments: Mapping[str, str]) -> str:
    text = arguments.get("subscription", "")
    if text and text not in services().settings.subscriptions:
        raise InputError("subscription", f"{text[:100]!r} is not monitored here.")
    return text


def _before(text: str) -> Cursor | None:
    if not text:
        return None
    try:
        return Cursor.parse(text)
    except ValueError as exc:
        raise InputError("before", f"{exc}. Start again from the newest messages.") from exc
