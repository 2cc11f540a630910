"""The delivery of one subscription as it was read last. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from infra.pubsub.delivery_warnings import reason_of_end, warnings_of
from infra.pubsub.subscription_config import SubscriptionConfig

DeliveryState = Literal[
    "receiving",
    "stopped",
    "topic_deleted",
    "detached",
    "exported",
    "resource_error",
    "missing",
    "denied",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery of one subscription. ``changed_by`` is empty if the last change was made outside Subscope.

    ``differences`` lists the push settings that differ from those that Start sets. ``end_reason`` is the sentence for
    a state in which no message can arrive. ``filter`` is the filter of the subscription: Pub/Sub drops the messages
    that do not match. ``retention`` is how long Pub/Sub keeps a waiting message, None if it could not be read.
    """

    subscription: str
    state: DeliveryState
    topic: str = ""
    push_endpoint: str = ""
    ours: bool = True
    differences: tuple[str, ...] = ()
    end_reason: str = ""
    filter: str = ""
    retention: timedelta | None = None
    changed_by: str = ""
    changed_at: datetime | None = None
    checked_at: datetime | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_pushing(self) -> bool:
        """Whether Pub/Sub pushes the messages that wait; after the deletion of its topic, those are the last ones."""
        return self.state == "receiving" or (self.state == "topic_deleted" and bool(self.push_endpoint))


def delivery_of(
    subscription: str,
    config: SubscriptionConfig,
    changed_by: str,
    changed_at: datetime | None,
    our_endpoint: str,
    wrong: tuple[str, ...],
) -> Delivery:
    """Return the delivery of a subscription that was read now. ``wrong`` are its differences, if it pushes."""
    endpoint = config.push_config.push_endpoint
    ours = not config.is_receiving or endpoint == our_endpoint
    now = datetime.now(UTC)
    return Delivery(
        subscription=subscription,
        state=config.ended or ("receiving" if config.is_receiving else "stopped"),
        topic=config.topic,
        push_endpoint=endpoint,
        ours=ours,
        differences=wrong,
        end_reason=reason_of_end(subscription, config),
        filter=config.filter,
        retention=config.retention,
        changed_by=changed_by,
        changed_at=changed_at,
        checked_at=now,
        warnings=warnings_of(subscription, config, ours, wrong, changed_at, now),
    )


def differences(fields: Mapping[str, Any], endpoint: str, account: str, audiences: Sequence[str]) -> tuple[str, ...]:
    """Return how a push config with an endpoint differs from the expected values, a clause each.

    ``fields`` are those of ``push_fields``, or a document in ``subscriptions/{id}``. An expected value that is empty is
    unknown and is not compared.
    """
    clauses = []
    pushes_to, signed_by = fields.get("push_endpoint"), fields.get("push_service_account")
    # The receiver refuses a push if its token was made for another audience or by another account.
    if endpoint and pushes_to != endpoint:
        clauses.append(f"the push endpoint is {pushes_to}, not {endpoint}")
    if account and signed_by != account:
        clauses.append(f"the push service account is {signed_by or 'none'}, not {account}")
    # cloud.google.com/pubsub/docs/authenticate-push-subscriptions: without an audience it is the endpoint's address.
    audience = fields.get("push_audience") or pushes_to
    if audiences and signed_by and audience not in audiences:
        clauses.append(f"the audience is {audience}, not {' or '.join(audiences)}")
    form = fields.get("push_form")
    if form == "unwrapped":
        clauses.append("the payload is unwrapped, not in Pub/Sub's envelope")
    elif form:
        clauses.append(f"the push format is {form}, not v1")
    return tuple(clauses)
