"""The parts of a subscription that decide whether its messages arrive, and in which form. Pure.

docs/operations.md has a table of all fields of ``google.pubsub.v1.Subscription``, and what Subscope does with each.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from google.pubsub_v1 import types

# Pub/Sub returns this as the topic of a subscription if the topic was deleted.
DELETED_TOPIC = "_deleted-topic_"
# cloud.google.com/pubsub/docs/subscription-properties#message_retention_duration
_DEFAULT_RETENTION = timedelta(days=7)
VERSION = "x-goog-version"
# Both names mean the envelope that the receiver reads; a subscription without the attribute has it as well.
_OUR_VERSIONS = ("", "v1", "v1beta2")
_EXPORTS = {"bigquery_config": "BigQuery", "bigtable_config": "Bigtable", "cloud_storage_config": "Cloud Storage"}

# A reason for which no message can arrive with any push config; "" if there is none.
Ended = Literal["", "topic_deleted", "detached", "exported", "resource_error"]


@dataclass(frozen=True, slots=True)
class SubscriptionConfig:
    """One subscription as Pub/Sub returned it. ``push_config`` is Pub/Sub's PushConfig.

    ``export`` names the product that an ``exported`` subscription writes to. ``expires_after`` is the time without
    delivery after which Pub/Sub deletes the subscription, None if it never does. ``transforms`` names the active ones.
    """

    topic: str
    push_config: Any
    ended: Ended = ""
    export: str = ""
    filter: str = ""
    transforms: tuple[str, ...] = ()
    retention: timedelta = _DEFAULT_RETENTION
    expires_after: timedelta | None = None
    has_dead_letter_topic: bool = False
    is_exactly_once: bool = False

    @property
    def is_receiving(self) -> bool:
        """Whether the subscription has a push endpoint."""
        return bool(self.push_config.push_endpoint)

    @property
    def push_form(self) -> str:
        """The form of its pushes, as ``push_form`` names it."""
        return push_form(self.push_config)


def read_subscription(reply: Any) -> SubscriptionConfig:
    """Return the configuration of a ``google.pubsub.v1.Subscription``."""
    export = next((product for field, product in _EXPORTS.items() if field in reply), "")
    return SubscriptionConfig(
        topic=reply.topic,
        push_config=reply.push_config,
        ended=_ended(reply, export),
        export=export,
        filter=reply.filter,
        transforms=tuple(_transform(one) for one in reply.message_transforms if not one.disabled),
        retention=reply.message_retention_duration or _DEFAULT_RETENTION,
        # A policy without a time means never; no policy means 31 days, and Pub/Sub then returns that policy.
        expires_after=reply.expiration_policy.ttl or None,
        has_dead_letter_topic=bool(reply.dead_letter_policy.dead_letter_topic),
        is_exactly_once=reply.enable_exactly_once_delivery,
    )


def push_form(push_config: Any) -> str:
    """Return "" for the envelope that the receiver reads, otherwise ``unwrapped`` or the name of a version."""
    if "no_wrapper" in push_config:
        return "unwrapped"
    version: str = push_config.attributes.get(VERSION, "")
    return "" if version in _OUR_VERSIONS else version


def push_fields(push_config: Any) -> dict[str, Any]:
    """Return the fields of a push config as ``subscriptions/{id}`` stores them."""
    if not push_config.push_endpoint:  # a stopped subscription keeps the fields of its last delivery
        return {"observed_running": False}
    return {
        "observed_running": True,
        "push_endpoint": push_config.push_endpoint,
        "push_service_account": push_config.oidc_token.service_account_email,
        "push_audience": push_config.oidc_token.audience,
        "push_form": push_form(push_config),
    }


def _ended(reply: Any, export: str) -> Ended:
    if reply.detached:
        return "detached"
    if reply.topic == DELETED_TOPIC:
        return "topic_deleted"
    if export:
        return "exported"
    return "resource_error" if reply.state == types.Subscription.State.RESOURCE_ERROR else ""


def _transform(transform: Any) -> str:
    """Return the name of a JavaScript function, or the kind of another transform."""
    if "javascript_udf" in transform:
        return f"the function {transform.javascript_udf.function_name}"
    kind = types.MessageTransform.pb(transform).WhichOneof("transform") or "an unknown transform"
    return str(kind).replace("_", " ")
