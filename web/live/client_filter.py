"""The messages that one client asked for."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from infra.firestore.message_reader import EVERYTHING, Selection
from infra.firestore.search import narrowed
from infra.messages.message import Message
from infra.query import Query, parse

Predicate = Callable[[Message], bool]


def accept_all(_: Message) -> bool:
    """Accept every message."""
    return True


@dataclass(frozen=True, slots=True)
class ClientFilter:
    """A filter. ``selection`` limits the messages read from Firestore; ``accepts`` alone decides which are sent.

    ``key`` is equal for filters that accept the same messages. A costly filter searches payloads.
    """

    selection: Selection = EVERYTHING
    accepts: Predicate = accept_all
    key: Hashable = None
    is_costly: bool = False
    # Whether it compares deliveries or attempts: then any redelivery may end a match.
    counts_deliveries: bool = False

    def concerns(self, message: Message) -> bool:
        """Return whether the client must hear of this state of a message."""
        return self.accepts(message) or self.has_left(message)

    def has_left(self, message: Message) -> bool:
        """Return whether the message may have matched before its redelivery.

        A redelivery changes the number of deliveries and the attempt, nothing else of a stored message.
        """
        return message.deliveries > 1 and (self.counts_deliveries or self.accepts(replace(message, deliveries=1)))


def parse_client_filter(q: str, subscription: str) -> ClientFilter:
    """Return the filter of ``?q=`` and ``?subscription=``, the same as for the list. Raises QueryError."""
    query = parse(q, datetime.now(UTC))
    return ClientFilter(
        selection=narrowed(Selection(subscription), query),
        accepts=lambda message: _matches(query, subscription, message),
        key=(query.terms, subscription),
        is_costly=query.reads_payloads,
        counts_deliveries=query.counts_deliveries,
    )


def _matches(query: Query, subscription: str, message: Message) -> bool:
    return (not subscription or message.subscription == subscription) and query.matches(message)
