"""The filters that find an earlier message to compare with: of the same ordering key, or of the same type."""

from dataclasses import dataclass

from flask import Flask

from infra.messages.masking import HIDDEN, Mask
from infra.messages.message import Message
from infra.query import quoted
from web.filters.columns import value
from web.formats import short

# Where well-known messages say their type, the most exact place first. Without any, the kind of the payload counts.
TYPE_FIELDS = (
    *("ce-type", "type", "eventType", "event_type", "event-type", "event", "messageType"),
    *("data.type", "data.eventType", "data.event_type", "data.event", "data.messageType", "data.buildTriggerId"),
    *("data.protoPayload.methodName", "data.incident.policy_name"),
)
_MAX_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Likeness:
    """Why an earlier message is comparable: a filter that finds it, and words for a link and for a sentence."""

    by: str
    filter: str
    words: str


def init_app(app: Flask) -> None:
    """Offer the ways to choose an earlier message to the page of a message."""
    app.jinja_env.globals.update(likenesses=likenesses)


def likenesses(message: Message, mask: Mask) -> list[Likeness]:
    """Return how an earlier message of the same subscription can be chosen, without any masked value."""
    found = []
    key = message.ordering_key
    if key and not (mask and key == HIDDEN) and len(key) <= 1_000:
        found.append(Likeness("key", f"key:{quoted(key)}", "ordering key"))
    return [*found, _type_of(message, mask)]


def _type_of(message: Message, mask: Mask) -> Likeness:
    for name in TYPE_FIELDS:
        text = value(message, name)
        if text and len(text) <= _MAX_CHARACTERS and not (mask and HIDDEN in text):
            return Likeness("type", f"{quoted(name)}={quoted(text)}", f"type ({short(name, 40)}={short(text, 40)})")
    return Likeness("type", f"kind:{message.kind}", f"kind ({message.kind})")
