"""Stored messages as they are published again: byte for byte, and with where they come from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.messages.message import Message
from infra.pubsub.publisher import OutgoingMessage

REPLAYED_FROM = "replayed-from"
REPLAYED_BY = "replayed-by"
# What Pub/Sub adds to a message that it forwards to a dead-letter topic
# (cloud.google.com/pubsub/docs/handling-failures#track-delivery-attempts).
_DEAD_LETTER = "CloudPubSubDeadLetterSource"
_SOURCE = f"{_DEAD_LETTER}Subscription"
_SOURCE_PROJECT = f"{_DEAD_LETTER}SubscriptionProject"
# Pub/Sub adds these itself, and refuses them from a publisher.
_GOOGLES = "goog"


@dataclass(frozen=True, slots=True)
class DeadLetterSource:
    """The subscription that gave up a dead letter; ``project`` is empty where the message does not say it."""

    subscription: str
    project: str


def dead_letter_source(message: Message) -> DeadLetterSource | None:
    """Where a dead letter comes from, as it says itself; None for any other message."""
    subscription = message.attributes.get(_SOURCE, "")
    return DeadLetterSource(subscription, message.attributes.get(_SOURCE_PROJECT, "")) if subscription else None


def replay_of(message: Message, data: bytes, who: str) -> OutgoingMessage:
    """The message as it is, saying from which one and by whom it is replayed."""
    return OutgoingMessage(
        data, {**_publishable(message.attributes), **_provenance(message, who)}, message.ordering_key
    )


def replay_to_source(message: Message, data: bytes, who: str) -> OutgoingMessage:
    """A dead letter as it was before it became one, saying from which one and by whom it is replayed."""
    kept = {
        name: value for name, value in _publishable(message.attributes).items() if not name.startswith(_DEAD_LETTER)
    }
    return OutgoingMessage(data, {**kept, **_provenance(message, who)}, message.ordering_key)


def _publishable(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if name and not name.startswith(_GOOGLES)}


def _provenance(message: Message, who: str) -> dict[str, str]:
    return {REPLAYED_FROM: message.message_id, REPLAYED_BY: who}
