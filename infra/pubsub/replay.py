"""Stored messages made ready to be published again: the same bytes, with attributes that name the origin. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.messages.message import Message
from infra.pubsub.publisher import OutgoingMessage

REPLAYED_FROM = "replayed-from"
REPLAYED_BY = "replayed-by"
# Pub/Sub adds these attributes to a message that it forwards to a dead-letter topic
# (cloud.google.com/pubsub/docs/handling-failures#track-delivery-attempts).
_DEAD_LETTER = "CloudPubSubDeadLetterSource"
_SOURCE = f"{_DEAD_LETTER}Subscription"
_SOURCE_PROJECT = f"{_DEAD_LETTER}SubscriptionProject"
# Pub/Sub adds attributes with this prefix itself, and refuses them from a publisher.
_RESERVED_PREFIX = "goog"


@dataclass(frozen=True, slots=True)
class DeadLetterSource:
    """The subscription that could not deliver a dead letter. ``project`` is empty if the message does not name it."""

    subscription: str
    project: str


def dead_letter_source(message: Message) -> DeadLetterSource | None:
    """Return the origin of a dead letter from its attributes; None for any other message."""
    subscription = message.attributes.get(_SOURCE, "")
    return DeadLetterSource(subscription, message.attributes.get(_SOURCE_PROJECT, "")) if subscription else None


def replay_of(message: Message, data: bytes, who: str) -> OutgoingMessage:
    """Return the message unchanged, with attributes that name the original and the person."""
    return OutgoingMessage(
        data, {**_publishable(message.attributes), **_provenance(message, who)}, message.ordering_key
    )


def replay_to_source(message: Message, data: bytes, who: str) -> OutgoingMessage:
    """Return a dead letter without the attributes of a dead letter, and name the original and the person."""
    kept = {
        name: value for name, value in _publishable(message.attributes).items() if not name.startswith(_DEAD_LETTER)
    }
    return OutgoingMessage(data, {**kept, **_provenance(message, who)}, message.ordering_key)


def _publishable(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if name and not name.startswith(_RESERVED_PREFIX)}


def _provenance(message: Message, who: str) -> dict[str, str]:
    return {REPLAYED_FROM: message.message_id, REPLAYED_BY: who}
