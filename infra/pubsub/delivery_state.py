"""Delivery of one subscription as it was seen, and what is wrong with it, in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

DeliveryState = Literal["receiving", "stopped", "missing", "denied", "unknown"]
NO_DEAD_LETTER = (
    "It has no dead-letter policy: a message that is refused again and again is retried until it expires, "
    "and slows the others down."
)
REFUSED = "What it pushes is refused here: {}. Start, after Stop, sets it right."
ELSEWHERE = "Its push endpoint is not this monitor's: somebody changed it elsewhere. Start sets it back."


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is known of one subscription's delivery. ``changed_by`` is empty when it was changed outside Subscope.

    ``differences`` says what of its push settings is not as Start sets it; ``retention`` is how long Pub/Sub keeps a
    message that waits, None when it could not be read.
    """

    subscription: str
    state: DeliveryState
    topic: str = ""
    push_endpoint: str = ""
    ours: bool = True
    differences: tuple[str, ...] = ()
    retention: timedelta | None = None
    changed_by: str = ""
    changed_at: datetime | None = None
    checked_at: datetime | None = None
    warnings: tuple[str, ...] = ()


def differences(config: Any, endpoint: str, account: str, audiences: Sequence[str]) -> tuple[str, ...]:
    """What is not as it should be in a PushConfig that delivers, a clause each; what is not known to us is left out."""
    found = []
    # The receiver refuses a push whose token was made for another audience or by another account.
    if endpoint and config.push_endpoint != endpoint:
        found.append(f"the push endpoint is {config.push_endpoint}, not {endpoint}")
    signed_by = config.oidc_token.service_account_email
    if account and signed_by != account:
        found.append(f"the push service account is {signed_by or 'none'}, not {account}")
    # cloud.google.com/pubsub/docs/authenticate-push-subscriptions: without an audience it is the endpoint's address.
    audience = config.oidc_token.audience or config.push_endpoint
    if audiences and signed_by and audience not in audiences:
        found.append(f"the audience is {audience}, not {' or '.join(audiences)}")
    return tuple(found)


def warnings_of(dead_letters: bool, ours: bool, wrong: tuple[str, ...]) -> tuple[str, ...]:
    """What a person should know of a subscription that can be read, a sentence each."""
    found = [] if dead_letters else [NO_DEAD_LETTER]
    if not ours:
        found.append(ELSEWHERE)
    elif wrong:
        found.append(REFUSED.format("; ".join(wrong)))
    return tuple(found)
