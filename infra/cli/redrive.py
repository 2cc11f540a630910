"""Send dead letters again: ``python -m infra.cli.redrive SUBSCRIPTION TOPIC``, from the repository's root.

Each message of a dead-letter subscription is published to the topic as it was, without the attributes that Pub/Sub
added, and acknowledged only then: one that dies in between is sent twice, never lost. It gets a new message id, and
every subscription of the topic sees it again.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping

from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import types

from infra.errors import SubscopeError
from infra.pubsub.client import CALL_SECONDS, PubSub, in_requests, pubsub_errors
from infra.settings import console_settings

BATCH = 100
# A pull may come back empty though messages are left: nothing so many times in a row means nothing is left.
PATIENCE_SECONDS = 3.0
EMPTY_PULLS = 3
# cloud.google.com/pubsub/docs/handling-failures#dead_letter_topic
_ADDED = "CloudPubSubDeadLetterSource"


def redrive(pubsub: PubSub, subscription: str, topic: str) -> int:
    """Send all that waits in ``subscription`` to ``topic`` (full names); return how many. Raises SubscriptionError."""
    sent = empty = 0
    while empty < EMPTY_PULLS:
        received = _pull(pubsub, subscription)
        empty = 0 if received else empty + 1
        for some in requests_of(received):
            _send(pubsub, subscription, topic, some)
            sent += len(some)
    return sent


def requests_of(received: Iterable[types.ReceivedMessage]) -> Iterator[list[types.ReceivedMessage]]:
    """The messages in requests that Pub/Sub takes: one ordering key, at most 9 MB; their order kept."""
    return in_requests(
        received, lambda one: one.message.ordering_key, lambda one: types.PubsubMessage.pb(one.message).ByteSize()
    )


def _send(pubsub: PubSub, subscription: str, topic: str, received: list[types.ReceivedMessage]) -> None:
    """Publish, and only then acknowledge: what happens in between sends a message twice, never not at all."""
    with pubsub_errors(f"publishing to {topic}"):
        messages = [_as_it_was(one.message) for one in received]
        pubsub.publisher.publish(topic=topic, messages=messages, retry=None, timeout=CALL_SECONDS * 3)
    with pubsub_errors(f"acknowledging in {subscription}"):
        ids = [one.ack_id for one in received]
        pubsub.subscriber.acknowledge(subscription=subscription, ack_ids=ids, retry=None, timeout=CALL_SECONDS)


def _pull(pubsub: PubSub, subscription: str) -> list[types.ReceivedMessage]:
    with pubsub_errors(f"reading {subscription}"):
        request = types.PullRequest(subscription=subscription, max_messages=BATCH)
        try:
            return list(pubsub.subscriber.pull(request, retry=None, timeout=PATIENCE_SECONDS).received_messages)
        except DeadlineExceeded:  # Pub/Sub waits for messages as long as it is let
            return []


def _as_it_was(message: types.PubsubMessage) -> types.PubsubMessage:
    kept = {name: value for name, value in message.attributes.items() if not name.startswith(_ADDED)}
    return types.PubsubMessage(data=message.data, attributes=kept, ordering_key=message.ordering_key)


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.cli.redrive", description="Send dead letters again.")
    parser.add_argument("subscription", help="the dead-letter subscription's id")
    parser.add_argument("topic", help="the topic to send them to: its id, or projects/P/topics/T")
    named = parser.parse_args(arguments)
    try:
        settings = console_settings(environ)
        pubsub = PubSub(settings)
        ours = f"projects/{settings.google_cloud_project}/topics/"
        topic = named.topic if "/" in named.topic else ours + named.topic
        count = redrive(pubsub, settings.subscription_path(named.subscription), topic)
        pubsub.close()
    except SubscopeError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    sys.stdout.write(f"Sent {count} messages again.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], os.environ))
