"""The methods of google.pubsub.v1.Subscriber."""

import asyncio
import re
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types

from infra.local.pubsub import validation
from infra.local.pubsub.backlog import BacklogEntry, State
from infra.local.pubsub.broker import Broker
from infra.local.pubsub.field_masks import merge
from infra.local.pubsub.filters import compile_filter
from infra.local.pubsub.paging import page
from infra.local.pubsub.subscription import Subscription
from infra.local.rpc import Method, RpcError, Service, Unary

PULL_WAIT_SECONDS = 20.0  # the service documents a bounded wait without a number
PULL_BYTES = 10_000_000
MAX_PULL = 1000
_ACK_ID = re.compile("([0-9]{1,18})-([0-9]{1,18})")
_VERSION = "x-goog-version"
_MUTABLE = frozenset(
    {
        "ack_deadline_seconds",
        "bigquery_config",
        "cloud_storage_config",
        "dead_letter_policy",
        "enable_exactly_once_delivery",
        "expiration_policy",
        "labels",
        "message_retention_duration",
        "push_config",
        "retain_acked_messages",
        "retry_policy",
        "tags",
    }
)


class SubscriberMethods:
    """Reads and changes subscriptions; pulls and acknowledges."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def service(self, *more: Method) -> Service:
        """Return the table of methods, with ``more`` added."""
        return Service(
            "google.pubsub.v1.Subscriber",
            (
                Unary("CreateSubscription", types.Subscription.pb(), self.create),
                Unary("GetSubscription", types.GetSubscriptionRequest.pb(), self.get),
                Unary("UpdateSubscription", types.UpdateSubscriptionRequest.pb(), self.update),
                Unary("ListSubscriptions", types.ListSubscriptionsRequest.pb(), self.list),
                Unary("DeleteSubscription", types.DeleteSubscriptionRequest.pb(), self.delete),
                Unary("ModifyPushConfig", types.ModifyPushConfigRequest.pb(), self.modify_push_config),
                Unary("Pull", types.PullRequest.pb(), self.pull),
                Unary("Acknowledge", types.AcknowledgeRequest.pb(), self.acknowledge),
                Unary("ModifyAckDeadline", types.ModifyAckDeadlineRequest.pb(), self.modify_ack_deadline),
                *more,
            ),
        )

    async def create(self, resource: Any) -> Any:
        validation.check_name("subscriptions", resource.name)
        validation.check_name("topics", resource.topic)
        if resource.name in self._broker.subscriptions:
            raise RpcError(grpc.StatusCode.ALREADY_EXISTS, f"Subscription already exists (resource={resource.name}).")
        self._broker.topic(resource.topic)
        self._check(_with_defaults(resource))
        return self._broker.subscribe(resource).resource

    async def get(self, request: Any) -> Any:
        return self.named(request.subscription).resource

    async def update(self, request: Any) -> Any:
        subscription = self.named(request.subscription.name)
        changed = merge(subscription.resource, request.subscription, request.update_mask, _MUTABLE)
        self._check(_with_defaults(changed))
        subscription.configure(changed)
        return changed

    async def modify_push_config(self, request: Any) -> Any:
        subscription = self.named(request.subscription)
        validation.check_push_config(request.push_config)
        changed = type(subscription.resource)()
        changed.CopyFrom(subscription.resource)
        changed.push_config.CopyFrom(request.push_config)
        version = subscription.resource.push_config.attributes.get(_VERSION)
        if version is not None and _VERSION not in changed.push_config.attributes:
            # See the comment of PushConfig.attributes: the service keeps a version unless another one is named.
            changed.push_config.attributes[_VERSION] = version
        subscription.configure(changed)
        return Empty()

    async def list(self, request: Any) -> Any:
        validation.check_project(request.project)
        names = (name for name in self._broker.subscriptions if name.startswith(f"{request.project}/"))
        found, token = page(names, request.page_size, request.page_token)
        subscriptions = [self._broker.subscriptions[name].resource for name in found]
        return types.ListSubscriptionsResponse.pb()(subscriptions=subscriptions, next_page_token=token)

    async def delete(self, request: Any) -> Any:
        validation.check_name("subscriptions", request.subscription)
        await self._broker.unsubscribe(request.subscription).close()
        return Empty()

    async def pull(self, request: Any) -> Any:
        subscription = self.named(request.subscription)
        if request.max_messages < 1:
            raise validation.invalid(f"Invalid max_messages {request.max_messages}: it must be positive.")
        refuse_pushing(subscription)
        entries = _lease(subscription, request.max_messages)
        end = asyncio.get_running_loop().time() + PULL_WAIT_SECONDS
        while not entries and not request.return_immediately:
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await subscription.ready(left)
            entries = _lease(subscription, request.max_messages)
        return types.PullResponse.pb()(received_messages=[received(entry) for entry in entries])

    async def acknowledge(self, request: Any) -> Any:
        subscription = self.named(request.subscription)
        for entry, _ in _held(subscription, request.ack_ids):
            # A late acknowledgement still counts; the service may do the same.
            subscription.acknowledge(entry)
        return Empty()

    async def modify_ack_deadline(self, request: Any) -> Any:
        subscription = self.named(request.subscription)
        seconds = request.ack_deadline_seconds
        if not 0 <= seconds <= 600:
            raise validation.invalid(f"Invalid ack_deadline_seconds {seconds}: the service takes 0 to 600.")
        for entry, attempt in _held(subscription, request.ack_ids):
            if entry.state is State.HELD and entry.holds == attempt:
                if seconds:
                    subscription.backlog.hold_for(entry, seconds)
                else:
                    subscription.refuse(entry)
        return Empty()

    def named(self, name: str) -> Subscription:
        """Return the subscription of that name. Raises INVALID_ARGUMENT or NOT_FOUND."""
        validation.check_name("subscriptions", name)
        return self._broker.subscription(name)

    def _check(self, resource: Any) -> None:
        validation.check_subscription(resource)
        compile_filter(resource.filter)
        if resource.HasField("dead_letter_policy"):
            self._broker.topic(resource.dead_letter_policy.dead_letter_topic)


def received(entry: BacklogEntry) -> Any:
    """Return a ReceivedMessage; its acknowledgement id names the entry and this hold."""
    return types.ReceivedMessage.pb()(
        ack_id=f"{entry.number}-{entry.holds}", message=entry.message, delivery_attempt=entry.attempts
    )


def _lease(subscription: Subscription, limit: int) -> list[BacklogEntry]:
    seconds = subscription.resource.ack_deadline_seconds
    return subscription.lease(min(limit, MAX_PULL), PULL_BYTES, seconds)


def _held(subscription: Subscription, ack_ids: Any) -> list[tuple[BacklogEntry, int]]:
    """Return the entries of acknowledgement ids, without acknowledged ones. Raises INVALID_ARGUMENT."""
    if not ack_ids:
        raise validation.invalid("No ack ids specified.")
    entries: list[tuple[BacklogEntry, int]] = []
    for ack_id in ack_ids:
        parts = _ACK_ID.fullmatch(ack_id)
        if not parts:
            raise validation.invalid(f"Invalid ack id (ack_id={ack_id[:100]}).")
        if entry := subscription.backlog.get(int(parts[1])):
            entries.append((entry, int(parts[2])))
    return entries


def refuse_pushing(subscription: Subscription) -> None:
    """Raise FAILED_PRECONDITION for a push subscription (only its endpoint gets messages) and a detached one."""
    if subscription.resource.detached:
        raise RpcError(grpc.StatusCode.FAILED_PRECONDITION, f"{subscription.name} is detached from its topic.")
    if subscription.resource.push_config.push_endpoint:
        raise RpcError(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"{subscription.name} is a push subscription; clear its push endpoint to pull from it.",
        )


def _with_defaults(resource: Any) -> Any:
    """Fill in the service's defaults (see the comments of google.pubsub.v1.Subscription)."""
    resource.state = types.Subscription.State.ACTIVE
    resource.detached = False  # DetachSubscription sets it
    resource.push_config.SetInParent()
    resource.ack_deadline_seconds = resource.ack_deadline_seconds or 10
    if not resource.HasField("message_retention_duration"):
        resource.message_retention_duration.FromSeconds(7 * 86400)
    if not resource.HasField("expiration_policy"):
        resource.expiration_policy.ttl.FromSeconds(31 * 86400)
    if resource.HasField("dead_letter_policy"):
        policy = resource.dead_letter_policy
        policy.max_delivery_attempts = policy.max_delivery_attempts or 5
    if resource.HasField("retry_policy"):
        policy = resource.retry_policy
        if not policy.HasField("minimum_backoff"):
            policy.minimum_backoff.FromSeconds(10)
        if not policy.HasField("maximum_backoff"):
            policy.maximum_backoff.FromSeconds(600)
    return resource
