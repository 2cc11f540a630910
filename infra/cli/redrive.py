"""``redrive``: publish dead letters again.

Each message of a dead-letter subscription is published to the topic without the attributes that Pub/Sub added, and
acknowledged only then: a process that dies in between sends a message twice, and loses none. The message gets a new
id, and every subscription of the topic receives it again.
"""

from collections.abc import Iterable, Iterator

import click
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import types

from infra.cli.command_types import Command
from infra.cli.context import CommandContext
from infra.pubsub.client import CALL_SECONDS, PubSub, in_requests, pubsub_errors

_MAX_PULLED = 100
# A pull can return nothing although messages are left; this number of empty pulls in a row means that none is left.
_MAX_EMPTY_PULLS = 3
_PULL_SECONDS = 3.0
# cloud.google.com/pubsub/docs/handling-failures#dead_letter_topic
_ADDED_PREFIX = "CloudPubSubDeadLetterSource"


@click.command(cls=Command)
@click.argument("subscription")
@click.argument("topic")
@click.pass_obj
def redrive(context: CommandContext, subscription: str, topic: str) -> None:
    """Publish all messages of the dead-letter SUBSCRIPTION to TOPIC again.

    TOPIC is a topic id of the project, or projects/PROJECT/topics/TOPIC.
    """
    settings = context.settings
    full_topic = topic if "/" in topic else f"projects/{settings.google_cloud_project}/topics/{topic}"
    count = republish_all(context.pubsub, settings.subscription_path(subscription), full_topic)
    click.echo(f"Sent {count} message{'' if count == 1 else 's'} again.")


def republish_all(pubsub: PubSub, subscription: str, topic: str) -> int:
    """Publish all waiting messages of ``subscription`` to ``topic`` (full names); return their number.

    Raises SubscriptionError.
    """
    count = empty_pulls = 0
    while empty_pulls < _MAX_EMPTY_PULLS:
        received = _pull(pubsub, subscription)
        empty_pulls = 0 if received else empty_pulls + 1
        for request in requests_of(received):
            _republish(pubsub, subscription, topic, request)
            count += len(request)
    return count


def requests_of(received: Iterable[types.ReceivedMessage]) -> Iterator[list[types.ReceivedMessage]]:
    """Group messages, in their order, into requests that Pub/Sub takes: one ordering key, at most 9 MB."""
    return in_requests(
        received,
        lambda message: message.message.ordering_key,
        lambda message: types.PubsubMessage.pb(message.message).ByteSize(),
    )


def _republish(pubsub: PubSub, subscription: str, topic: str, received: list[types.ReceivedMessage]) -> None:
    """Publish, then acknowledge: a failure in between sends a message twice instead of losing it."""
    with pubsub_errors(f"publishing to {topic}"):
        messages = [_original(message.message) for message in received]
        pubsub.publisher.publish(topic=topic, messages=messages, retry=None, timeout=CALL_SECONDS * 3)
    with pubsub_errors(f"acknowledging in {subscription}"):
        ids = [message.ack_id for message in received]
        pubsub.subscriber.acknowledge(subscription=subscription, ack_ids=ids, retry=None, timeout=CALL_SECONDS)


def _pull(pubsub: PubSub, subscription: str) -> list[types.ReceivedMessage]:
    with pubsub_errors(f"reading {subscription}"):
        request = types.PullRequest(subscription=subscription, max_messages=_MAX_PULLED)
        try:
            return list(pubsub.subscriber.pull(request, retry=None, timeout=_PULL_SECONDS).received_messages)
        except DeadlineExceeded:  # Pub/Sub waits for messages until the timeout
            return []


def _original(message: types.PubsubMessage) -> types.PubsubMessage:
    """Return the message without the attributes of a dead letter."""
    kept = {name: value for name, value in message.attributes.items() if not name.startswith(_ADDED_PREFIX)}
    return types.PubsubMessage(data=message.data, attributes=kept, ordering_key=message.ordering_key)
