"""Link a message with the message that it was replayed from, and with its newest replays.

The links come from attributes that any publisher can write, so pages show them as a claim of the message.
"""

from dataclasses import dataclass

from flask import Flask

from infra.errors import BusyError, StoreError
from infra.firestore.search import SearchBounds
from infra.messages.message import Message, document_id
from infra.pubsub.replay import REPLAYED_BY, REPLAYED_FROM, dead_letter_source
from infra.query import quoted
from web.access.readable_messages import readable_messages
from web.filters.request_filter import find, read_filter
from web.services import services

_MAX_REPLAYS = 5
_BOUNDS = SearchBounds(messages=50, seconds=0.5)


@dataclass(frozen=True)
class Lineage:
    """The origin and the replays of a message. ``origin`` is None when it has expired or was never stored here."""

    replayed_from: str
    replayed_by: str
    origin: Message | None
    replays: list[Message]
    more: bool
    filter: str


def init_app(app: Flask) -> None:
    """Make the source of a dead letter available to templates."""
    app.jinja_env.globals.update(dead_letter_source=dead_letter_source)


def lineage_of(message: Message) -> Lineage:
    """Return the origin of a message and its newest replays, without those that cannot be read."""
    came_from = message.attributes.get(REPLAYED_FROM, "")
    filter_text = f"{REPLAYED_FROM}={quoted(message.message_id)}"
    try:
        origin = _origin(came_from) if came_from else None
        found = find(read_filter({"q": filter_text}), _MAX_REPLAYS, _BOUNDS)
        replays, more = found.messages, found.older is not None
    except (StoreError, BusyError) as exc:
        services().log.warning("The links of a replay cannot be read.", id=message.id, reason=str(exc))
        origin, replays, more = None, [], False
    by = message.attributes.get(REPLAYED_BY, "")
    return Lineage(came_from, by, origin, replays, more and len(replays) == _MAX_REPLAYS, filter_text)


def _origin(message_id: str) -> Message | None:
    """Find the stored message with Pub/Sub's ``message_id``, from any monitored subscription."""
    candidates = [document_id(subscription, message_id) for subscription in services().settings.subscriptions]
    return next(iter(readable_messages().get_many(candidates)), None)
