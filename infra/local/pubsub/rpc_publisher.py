"""The methods of google.pubsub.v1.Publisher."""

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types

from infra.local.pubsub import validation
from infra.local.pubsub.broker import Broker, Topic
from infra.local.pubsub.field_masks import merge
from infra.local.pubsub.paging import page
from infra.local.rpc import RpcError, Service, Unary

_MUTABLE = frozenset({"labels", "message_storage_policy", "message_retention_duration", "kms_key_name", "tags"})


class PublisherMethods:
    """Reads and changes topics, and publishes."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def service(self) -> Service:
        """Return the table of methods."""
        return Service(
            "google.pubsub.v1.Publisher",
            (
                Unary("CreateTopic", types.Topic.pb(), self.create),
                Unary("GetTopic", types.GetTopicRequest.pb(), self.get),
                Unary("UpdateTopic", types.UpdateTopicRequest.pb(), self.update),
                Unary("ListTopics", types.ListTopicsRequest.pb(), self.list),
                Unary("ListTopicSubscriptions", types.ListTopicSubscriptionsRequest.pb(), self.list_subscriptions),
                Unary("DetachSubscription", types.DetachSubscriptionRequest.pb(), self.detach),
                Unary("DeleteTopic", types.DeleteTopicRequest.pb(), self.delete),
                Unary("Publish", types.PublishRequest.pb(), self.publish),
            ),
        )

    async def create(self, topic: Any) -> Any:
        validation.check_name("topics", topic.name)
        validation.check_topic(topic)
        if topic.name in self._broker.topics:
            raise RpcError(grpc.StatusCode.ALREADY_EXISTS, f"Topic already exists (resource={topic.name}).")
        topic.state = types.Topic.State.ACTIVE
        self._broker.topics[topic.name] = Topic(topic)
        return topic

    async def get(self, request: Any) -> Any:
        return self._named(request.topic).resource

    async def update(self, request: Any) -> Any:
        topic = self._named(request.topic.name)
        changed = merge(topic.resource, request.topic, request.update_mask, _MUTABLE)
        validation.check_topic(changed)
        topic.resource = changed
        return changed

    async def list(self, request: Any) -> Any:
        validation.check_project(request.project)
        names = (name for name in self._broker.topics if name.startswith(f"{request.project}/"))
        found, token = page(names, request.page_size, request.page_token)
        topics = [self._broker.topics[name].resource for name in found]
        return types.ListTopicsResponse.pb()(topics=topics, next_page_token=token)

    async def list_subscriptions(self, request: Any) -> Any:
        names: Iterable[str] = (one.name for one in self._named(request.topic).subscriptions)
        found, token = page(names, request.page_size, request.page_token)
        return types.ListTopicSubscriptionsResponse.pb()(subscriptions=found, next_page_token=token)

    async def delete(self, request: Any) -> Any:
        validation.check_name("topics", request.topic)
        self._broker.delete_topic(request.topic)
        return Empty()

    async def detach(self, request: Any) -> Any:
        validation.check_name("subscriptions", request.subscription)
        self._broker.detach(request.subscription)
        return types.DetachSubscriptionResponse.pb()()

    async def publish(self, request: Any) -> Any:
        topic = self._named(request.topic)
        validation.check_messages(request.messages)
        return types.PublishResponse.pb()(message_ids=self._broker.publish(topic, request.messages))

    def _named(self, name: str) -> Topic:
        validation.check_name("topics", name)
        return self._broker.topic(name)
