"""Create the topics and subscriptions of the local cloud through Pub/Sub's API, on our emulator or on Google's.

It uses a raw gRPC channel: importing Google's clients would take longer than the rest of the start.
"""

from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types

PROJECT = "local-project"
TOPIC = "builds"
SUBSCRIPTION = "builds-monitor"
DEAD_LETTER_TOPIC = "builds-dead-letter"
DEAD_LETTER_SUBSCRIPTION = "builds-dead-letter-monitor"
SERVICE_ACCOUNT = f"pubsub-push@{PROJECT}.iam.gserviceaccount.com"
MAX_DELIVERY_ATTEMPTS = 10


class PubsubChannel:
    """Calls the methods of Publisher and Subscriber at ``host`` (``host:port``)."""

    def __init__(self, host: str) -> None:
        self._channel = grpc.aio.insecure_channel(host, options=(("grpc.enable_http_proxy", 0),))

    async def make_resources(self, push_endpoint: str, audience: str) -> None:
        """Create the monitored topic, its push subscription, and its dead-letter topic with a subscription."""
        for topic in (TOPIC, DEAD_LETTER_TOPIC):
            await self._call("Publisher/CreateTopic", types.Topic(name=topic_path(topic)), types.Topic)
        for subscription in (_dead_letters(), _monitor(push_endpoint, audience)):
            await self._call("Subscriber/CreateSubscription", subscription, types.Subscription)

    async def publish(self, data: bytes, attributes: dict[str, str]) -> None:
        """Publish one message to the monitored topic."""
        message = types.PubsubMessage(data=data, attributes=attributes)
        request = types.PublishRequest(topic=topic_path(TOPIC), messages=[message])
        await self._call("Publisher/Publish", request, types.PublishResponse)

    async def close(self) -> None:
        await self._channel.close()

    async def _call(self, method: str, request: Any, response: Any) -> Any:
        call = self._channel.unary_unary(
            f"/google.pubsub.v1.{method}",
            request_serializer=type(request).serialize,
            response_deserializer=Empty.FromString if response is Empty else response.deserialize,
        )
        return await call(request, timeout=10, wait_for_ready=True)


def topic_path(topic: str) -> str:
    """Return the full name of a topic id."""
    return f"projects/{PROJECT}/topics/{topic}"


def subscription_path(subscription: str) -> str:
    """Return the full name of a subscription id."""
    return f"projects/{PROJECT}/subscriptions/{subscription}"


def _monitor(push_endpoint: str, audience: str) -> types.Subscription:
    token = types.PushConfig.OidcToken(service_account_email=SERVICE_ACCOUNT, audience=audience)
    return types.Subscription(
        name=subscription_path(SUBSCRIPTION),
        topic=topic_path(TOPIC),
        push_config=types.PushConfig(push_endpoint=push_endpoint, oidc_token=token),
        ack_deadline_seconds=60,
        # Production starts at one second; a developer should not wait that long for a restarted receiver.
        retry_policy=types.RetryPolicy(minimum_backoff={"nanos": 100_000_000}, maximum_backoff={"seconds": 10}),
        dead_letter_policy=types.DeadLetterPolicy(
            dead_letter_topic=topic_path(DEAD_LETTER_TOPIC), max_delivery_attempts=MAX_DELIVERY_ATTEMPTS
        ),
        expiration_policy=types.ExpirationPolicy(),
    )


def _dead_letters() -> types.Subscription:
    return types.Subscription(
        name=subscription_path(DEAD_LETTER_SUBSCRIPTION),
        topic=topic_path(DEAD_LETTER_TOPIC),
        expiration_policy=types.ExpirationPolicy(),
    )
