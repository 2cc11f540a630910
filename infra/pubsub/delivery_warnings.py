"""The warnings about a subscription's delivery, a sentence each: what is wrong, and the way out. Pure."""

from datetime import datetime, timedelta

from infra.pubsub.subscription_config import SubscriptionConfig

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
