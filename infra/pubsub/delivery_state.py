"""The delivery of one subscription as it was read last, and its problems in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from infra.pubsub.subscription_config import SubscriptionConfig, push_fields

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
NO_DEAD_LETTER = (
    "It has no dead-letter policy: Pub/Sub retries a message that is always refused until it expires, "
    "which slows the others down."
)
REFUSED = "The receiver rejects its pushes: {}. Start delivery again to repair the settings."
ELSEWHERE = "Its push endpoint is not this monitor's: it was changed outside Subscope. Start sets it back."
EXACTLY_ONCE = (
    "It has exactly-once delivery, which Pub/Sub offers for pull only. Before Start, switch that off: "
    "gcloud pubsub subscriptions update {} --no-enable-exactly-once-delivery."
)
TRANSFORMED = (
    "Pub/Sub changes its messages before delivery ({}): they arrive in the changed form, and those that a "
    "transform drops do not arrive."
)
EXPIRES = (
    "It expires after {} without delivery: Pub/Sub deletes it with all messages that wait{}. "
    "To keep it: gcloud pubsub subscriptions update {} --expiration-period=never."
)
NOT_RECORDED = "The change is made, but not recorded yet: the database did not answer. The next look at it records it."
_ENDS = {
    "topic_deleted": (
        "Its topic was deleted: no new message can arrive, not even from a new topic of the same name. Save the "
        "messages that wait with `subscope redrive {} TOPIC` while it is stopped, then create the subscription again."
    ),
    "detached": (
        "It is detached from its topic: no message can arrive, and none waits. "
        "Delete {} and create the subscription again."
    ),
    "exported": (
        "It writes its messages to {export} instead of pushing them. Monitor another subscription of the same topic, "
        "with push delivery."
    ),
    "resource_error": (
        "Pub/Sub reports an error with the resource that {} delivers to, so no message can arrive "
        "(state RESOURCE_ERROR). Its page in the Google Cloud console names the cause."
    ),
}
# Before that, a stopped subscription has time enough.
_EXPIRES_SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery of one subscription. ``changed_by`` is empty if the last change was made outside Subscope.

    ``differences`` lists the push settings that differ from those that Start sets. ``end_reason`` is the sentence for
    a state in which no message can arrive. ``filter`` is the subscription's own: Pub/Sub drops the messages that do not
    match. ``retention`` is how long Pub/Sub keeps a waiting message, None
    if it could not be read.
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


def differences(push_config: Any, endpoint: str, account: str, audiences: Sequence[str]) -> tuple[str, ...]:
    """Return how a PushConfig with an endpoint differs from the expected values, a clause each.

    An expected value that is empty is unknown and is not compared.
    """
    return differences_of_fields(push_fields(push_config), endpoint, account, audiences)


def differences_of_fields(
    fields: Mapping[str, Any], endpoint: str, account: str, audiences: Sequence[str]
) -> tuple[str, ...]:
    """Return the same for the fields of ``subscriptions/{id}``."""
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


def reason_of_end(subscription: str, config: SubscriptionConfig) -> str:
    """Return why no message can arrive, and the way out; "" if messages can arrive."""
    return _ENDS[config.ended].format(subscription, export=config.export) if config.ended else ""


def warnings_of(
    subscription: str,
    config: SubscriptionConfig,
    ours: bool,
    wrong: tuple[str, ...],
    changed_at: datetime | None,
    now: datetime,
) -> tuple[str, ...]:
    """Return the warnings about a subscription that can be read, a sentence each, the gravest first."""
    warnings = [reason_of_end(subscription, config)]
    if not ours:
        warnings.append(ELSEWHERE)
    elif wrong:
        warnings.append(REFUSED.format("; ".join(wrong)))
    warnings.append(_expiry(subscription, config, changed_at, now))
    if config.is_exactly_once:
        warnings.append(EXACTLY_ONCE.format(subscription))
    if config.transforms:
        warnings.append(TRANSFORMED.format(", ".join(config.transforms)))
    if not config.has_dead_letter_topic:
        warnings.append(NO_DEAD_LETTER)
    return tuple(filter(None, warnings))


def _expiry(subscription: str, config: SubscriptionConfig, changed_at: datetime | None, now: datetime) -> str:
    """Return the warning that a stopped subscription expires soon, or at a time that is unknown.

    Deliveries and changes begin the period again; a stopped subscription has neither.
    """
    if config.expires_after is None or config.is_receiving:
        return ""
    expires_at = changed_at + config.expires_after if changed_at else None
    if expires_at and expires_at - now > _EXPIRES_SOON:
        return ""
    when = f", about {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else ""
    days = config.expires_after / timedelta(days=1)
    return EXPIRES.format(f"{days:g} day{'' if days == 1 else 's'}", when, subscription)
