"""The push configuration of a subscription, read and written through the Pub/Sub admin API.

The values that Start sets come from the deployment's settings, never from a form.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.pubsub_v1 import types

from infra.pubsub.client import CALL_SECONDS, PubSub, pubsub_errors
from infra.settings import Settings

# cloud.google.com/pubsub/docs/subscription-properties#message_retention_duration
_DEFAULT_RETENTION = timedelta(days=7)


@dataclass(frozen=True)
class SubscriptionConfig:
    """The parts of a subscription that decide its delivery. ``push_config`` is Pub/Sub's PushConfig."""

    topic: str
    push_config: Any
    has_dead_letter_topic: bool
    retention: timedelta

    @property
    def is_receiving(self) -> bool:
        """Whether Pub/Sub pushes the subscription's messages."""
        return bool(self.push_config.push_endpoint)


class PushConfigAdmin:
    """The admin calls of one project. ``push_endpoint`` is the receiver's address."""

    def __init__(self, settings: Settings, push_endpoint: str, pubsub: PubSub) -> None:
        self._settings = settings
        self._push_endpoint = push_endpoint
        self._pubsub = pubsub

    def read(self, subscription: str) -> SubscriptionConfig:
        """Read one subscription. Raises SubscriptionError."""
        with pubsub_errors(f"reading {subscription}"):
            reply = self._pubsub.subscriber.get_subscription(
                subscription=self._settings.subscription_path(subscription), retry=None, timeout=CALL_SECONDS
            )
        retention: Any = reply.message_retention_duration
        has_dead_letter_topic = bool(reply.dead_letter_policy.dead_letter_topic)
        return SubscriptionConfig(
            reply.topic, reply.push_config, has_dead_letter_topic, retention or _DEFAULT_RETENTION
        )

    def write(self, subscription: str, push_config: Any) -> None:
        """Replace the push config of one subscription. Raises SubscriptionError, InputError."""
        with pubsub_errors(f"changing {subscription}"):
            self._pubsub.subscriber.modify_push_config(
                subscription=self._settings.subscription_path(subscription),
                push_config=push_config,
                retry=None,
                timeout=CALL_SECONDS,
            )

    def receiving(self) -> Any:
        """Return the PushConfig of a subscription that delivers to the receiver."""
        return types.PushConfig(
            push_endpoint=self._push_endpoint,
            oidc_token=types.PushConfig.OidcToken(
                service_account_email=self._settings.push_service_account, audience=self._settings.push_audience[0]
            ),
        )

    def stopped(self) -> Any:
        """Return the PushConfig of a subscription that keeps its messages."""
        return types.PushConfig()
