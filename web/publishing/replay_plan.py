"""The topics that replayed messages go to, and the messages that Pub/Sub would refuse. Nothing here publishes."""

from dataclasses import dataclass
from typing import Literal

from infra.errors import InputError, SubscriptionError
from infra.messages.message import Message
from infra.pubsub.publisher import OutgoingMessage, check
from infra.pubsub.replay import dead_letter_source, replay_of, replay_to_source
from web.services import services

Destination = Literal["topic", "source"]  # the topic of the message, or that of a dead letter's source


@dataclass(frozen=True)
class RefusedMessage:
    """A message that Pub/Sub would refuse, and the reason."""

    message: Message
    reason: str


def topic_of(message: Message, destination: Destination) -> str:
    """Return the full name of the topic that a message goes to. Raises InputError, SubscriptionError."""
    topics = services().publisher.topics
    if destination == "topic":
        return topics.of(message.subscription)
    source = dead_letter_source(message)
    if source is None:
        raise InputError("message", f"{message.message_id} is no dead letter: its attributes name no source.")
    if source.project not in ("", services().settings.google_cloud_project):
        raise InputError("message", f"{message.message_id} comes from the project {source.project[:40]!r}, not ours.")
    # A publisher can write that attribute, so it may name any subscription: publish to our topics only (T24).
    topic = topics.of(source.subscription)
    if topic not in topics.all():
        raise InputError(
            "message", f"{message.message_id} comes from {source.subscription[:255]!r}, not monitored here."
        )
    return topic


def replayed(message: Message, data: bytes, destination: Destination, who: str) -> OutgoingMessage:
    """Return the message that is published: a copy, or a dead letter as it was sent to its source."""
    return replay_to_source(message, data, who) if destination == "source" else replay_of(message, data, who)


def split_refused(
    messages: list[Message], destination: Destination, who: str
) -> tuple[list[Message], list[RefusedMessage]]:
    """Split off the messages that Pub/Sub would refuse: the attributes that a replay adds may exceed its limits."""
    accepted: list[Message] = []
    refused: list[RefusedMessage] = []
    for message in messages:
        try:
            check(replayed(message, b"", destination, who))  # the data was accepted by Pub/Sub before
        except InputError as exc:
            refused.append(RefusedMessage(message, str(exc)))
        else:
            accepted.append(message)
    return accepted, refused


def by_topic(messages: list[Message], destination: Destination) -> dict[str, list[Message]]:
    """Group the messages by their topics. Raises InputError or SubscriptionError if one of them has no topic."""
    groups: dict[str, list[Message]] = {}
    for message in messages:
        groups.setdefault(topic_of(message, destination), []).append(message)
    if not groups:
        raise InputError("messages", "are no dead letters; nothing was published.")
    return groups


def groups_of(messages: list[Message], destination: Destination) -> list[tuple[str, int, str]]:
    """Return for each topic its name, the number of messages, and the error that prevents publishing."""
    counts: dict[tuple[str, str], int] = {}
    for message in messages:
        try:
            key = (topic_of(message, destination), "")
        except (InputError, SubscriptionError) as exc:
            key = ("", str(exc) if exc.status < 500 else "Pub/Sub does not answer now.")
        counts[key] = counts.get(key, 0) + 1
    return [(topic, count, problem) for (topic, problem), count in counts.items()]
