"""The push configuration of a subscription, read and written through the Pub/Sub admin API.

The values that Start sets come from the deployment's settings, never from a form.
"""

from typing import Any

from google.pubsub_v1 import types

from infra.pubsub.client import CALL_SECONDS, PubSub, pubsub_errors
from infra.pubsub.subscription_config import VERSION, SubscriptionConfig, read_subscription
from infra.settings import Settings


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
        return read_subscription(reply)

    def write(self, subscription: str, push_config: Any) -> None:
        """Replace the push config of one subscription. Raises SubscriptionError, InputError.

        After SubscriptionUnavailableError the outcome is unknown: the call may have taken effect, or take it later.
        """
        with pubsub_errors(f"changing {subscription}"):
            self._pubsub.subscriber.modify_push_config(
                subscription=self._settings.subscription_path(subscription),
                push_config=push_config,
                retry=None,
                timeout=CALL_SECONDS,
            )

    def receiving(self, current_form: str) -> Any:
        """Return the PushConfig of a subscription that delivers to the receiver.

        ``current_form`` is the ``push_form`` of the subscription.
        """
        return types.PushConfig(
            push_endpoint=self._push_endpoint,
            # Pub/Sub keeps another version unless the new config names one.
            attributes={VERSION: "v1"} if current_form else {},
            oidc_token=types.PushConfig.OidcToken(
                service_account_email=self._settings.push_service_account, audience=self._settings.push_audience[0]
            ),
        )

    def stopped(self) -> Any:
        """Return the PushConfig of a subscription that keeps its messages."""
        return types.PushConfig()
