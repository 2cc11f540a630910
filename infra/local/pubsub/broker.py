"""The topics and subscriptions of the local Pub/Sub, and publishing from one to the other."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import grpc
from google.pubsub_v1.types import PubsubMessage

from infra.local.journal import Journal
from infra.local.pubsub.backlog import BacklogEntry
from infra.local.pubsub.push_delivery import TokenSource
from infra.local.pubsub.subscription import Subscription
from infra.local.rpc import RpcError

DELETED_TOPIC = "_deleted-topic_"
_Message = PubsubMessage.pb()


@dataclass
class Topic:
    """A google.pubsub.v1.Topic and its subscriptions."""

    resource: Any
    subscriptions: list[Subscription] = field(default_factory=list)


class Broker:
    """Topics and subscriptions by full name."""

    def __init__(self, http: aiohttp.ClientSession, tokens: TokenSource, journal: Journal) -> None:
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self._http = http
        self._tokens = tokens
        self._journal = journal
        # Ids have 16 digits, like the service's, and stay unique after a restart.
        self._last_id = time.time_ns() // 1000

    def topic(self, name: str) -> Topic:
        """Return the topic of that name. Raises NOT_FOUND."""
        if name not in self.topics:
            raise RpcError(grpc.StatusCode.NOT_FOUND, f"Topic not found (resource={name}).")
        return self.topics[name]

    def subscription(self, name: str) -> Subscription:
        """Return the subscription of that name. Raises NOT_FOUND."""
        if name not in self.subscriptions:
            raise RpcError(grpc.StatusCode.NOT_FOUND, f"Subscription does not exist (resource={name}).")
        return self.subscriptions[name]

    def subscribe(self, resource: Any) -> Subscription:
        """Add a subscription to its existing topic."""
        subscription = Subscription(resource, self._http, self._tokens, self._dead_letter, self._journal)
        self.subscriptions[resource.name] = subscription
        self.topics[resource.topic].subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, name: str) -> Subscription:
        """Remove a subscription; the caller closes it. Raises NOT_FOUND."""
        subscription = self.subscription(name)
        del self.subscriptions[name]
        topic = self.topics.get(subscription.resource.topic)
        if topic and not subscription.resource.detached:
            topic.subscriptions.remove(subscription)
        return subscription

    def detach(self, name: str) -> None:
        """Detach a subscription from its topic, for good. Raises NOT_FOUND."""
        subscription = self.subscription(name)
        topic = self.topics.get(subscription.resource.topic)
        if topic and not subscription.resource.detached:
            topic.subscriptions.remove(subscription)
        subscription.detach()

    def delete_topic(self, name: str) -> None:
        """Delete a topic; its subscriptions keep their backlog. Raises NOT_FOUND."""
        for subscription in self.topic(name).subscriptions:
            subscription.resource.topic = DELETED_TOPIC
        del self.topics[name]

    def publish(self, topic: Topic, messages: Iterable[Any]) -> list[str]:
        """Give messages an id and a time (in milliseconds, as the service) and add them to all subscriptions."""
        now_ms = time.time_ns() // 1_000_000
        ids: list[str] = []
        for message in messages:
            self._last_id += 1
            message.message_id = str(self._last_id)
            message.publish_time.FromMilliseconds(now_ms)
            ids.append(message.message_id)
            self._journal.published(topic.resource.name, message)
            for subscription in topic.subscriptions:
                if subscription.passes(message.attributes):
                    subscription.backlog.add(message)
        for subscription in topic.subscriptions:
            subscription.notify()
        return ids

    def _dead_letter(self, source: Subscription, entry: BacklogEntry) -> bool:
        topic = self.topics.get(source.resource.dead_letter_policy.dead_letter_topic)
        if topic is None:
            return False
        self._journal.write("dead_lettered", subscription=source.name, message=entry.message.message_id)
        self.publish(topic, [dead_letter(source.name, entry)])
        return True

    async def close(self) -> None:
        """Stop all deliveries."""
        for subscription in self.subscriptions.values():
            await subscription.close()


def dead_letter(subscription: str, entry: BacklogEntry) -> Any:
    """Return the message for the dead-letter topic (cloud.google.com/pubsub/docs/handling-failures)."""
    _, project, _, short = subscription.split("/")
    message = _Message()
    message.CopyFrom(entry.message)
    published = datetime.fromtimestamp(entry.message.publish_time.ToMilliseconds() / 1000, UTC)
    message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = str(entry.attempts)
    message.attributes["CloudPubSubDeadLetterSourceSubscription"] = short
    message.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = project
    message.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = published.isoformat(timespec="milliseconds")
    return message
