"""Where a message says it comes from, and the newest few that say they come from it.

Attributes say so, and any publisher can write them: pages show them as what they are, a message's own word.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask

from infra.errors import StoreError
from infra.firestore.message_reader import Selection
from infra.firestore.search import SearchBounds, search
from infra.messages.message import Message, document_id
from infra.pubsub.replay import REPLAYED_BY, REPLAYED_FROM, dead_letter_source
from infra.query import parse, quoted
from web.access.readable_messages import readable_messages
from web.services import services

_FEW = 5
_BOUNDS = SearchBounds(messages=50, seconds=0.5)


@dataclass(frozen=True)
class Lineage:
    """Where a message came from and what came of it. ``origin`` is None when it is not stored any more, or not here."""

    replayed_from: str
    replayed_by: str
    origin: Message | None
    replays: list[Message]
    more: bool
    filter: str


def init_app(app: Flask) -> None:
    """Let a message's page ask for its lineage."""
    app.jinja_env.globals.update(lineage_of=lineage_of, dead_letter_source=dead_letter_source)


def lineage_of(message: Message) -> Lineage:
    """Where a message came from, and the newest few of what came of it. What cannot be read is left out."""
    came_from = message.attributes.get(REPLAYED_FROM, "")
    filter_text = f"{REPLAYED_FROM}={quoted(message.message_id)}"
    try:
        origin = _origin(came_from) if came_from else None
        query = parse(filter_text, datetime.now(UTC))
        found = search(readable_messages(), Selection(), query, limit=_FEW, bounds=_BOUNDS)
        replays, more = found.messages, found.older is not None
    except StoreError as exc:
        services().log.warning("lineage cannot be read", id=message.id, reason=str(exc))
        origin, replays, more = None, [], False
    by = message.attributes.get(REPLAYED_BY, "")
    return Lineage(came_from, by, origin, replays, more and len(replays) == _FEW, filter_text)


def _origin(message_id: str) -> Message | None:
    """The stored message of an id, whichever monitored subscription delivered it."""
    candidates = [document_id(subscription, message_id) for subscription in services().settings.subscriptions]
    return next(iter(readable_messages().get_many(candidates)), None)
