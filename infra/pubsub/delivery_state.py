"""The delivery of one subscription as it was read last, and its problems in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

DeliveryState = Literal["receiving", "stopped", "missing", "denied", "unknown"]
NO_DEAD_LETTER = (
    "It has no dead-letter policy: Pub/Sub retries a message that is always refused until it expires, "
    "which slows the others down."
)
REFUSED = "The receiver rejects its pushes: {}. Stop and start delivery to repair the settings."
ELSEWHERE = "Its push endpoint is not this monitor's: it was changed outside Subscope. Start sets it back."


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery of one subscription. ``changed_by`` is empty if the last change was made outside Subscope.

    ``differences`` lists the push settings that differ from those that Start sets. ``retention`` is how long Pub/Sub
    keeps a waiting message, None if it could not be read.
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


def differences(push_config: Any, endpoint: str, account: str, audiences: Sequence[str]) -> tuple[str, ...]:
    """Return how a PushConfig with an endpoint differs from the expected values, a clause each.

    An expected value that is empty is unknown and is not compared.
    """
    clauses = []
    # The receiver refuses a push if its token was made for another audience or by another account.
    if endpoint and push_config.push_endpoint != endpoint:
        clauses.append(f"the push endpoint is {push_config.push_endpoint}, not {endpoint}")
    signed_by = push_config.oidc_token.service_account_email
    if account and signed_by != account:
        clauses.append(f"the push service account is {signed_by or 'none'}, not {account}")
    # cloud.google.com/pubsub/docs/authenticate-push-subscriptions: without an audience it is the endpoint's address.
    audience = push_config.oidc_token.audience or push_config.push_endpoint
    if audiences and signed_by and audience not in audiences:
        clauses.append(f"the audience is {audience}, not {' or '.join(audiences)}")
    return tuple(clauses)


def warnings_of(has_dead_letter_topic: bool, ours: bool, wrong: tuple[str, ...]) -> tuple[str, ...]:
    """Return the warnings about a subscription that can be read, a sentence each."""
    warnings = [] if has_dead_letter_topic else [NO_DEAD_LETTER]
    if not ours:
        warnings.append(ELSEWHERE)
    elif wrong:
        warnings.append(REFUSED.format("; ".join(wrong)))
    return tuple(warnings)
