"""Banners above a page: delivery is stopped, misconfigured or sent elsewhere; the live feed is interrupted.

They show the state that this process observed last, while a page was open or a list was loaded. Rendering a banner asks
neither Pub/Sub nor Firestore.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask

from infra.pubsub.delivery_state import Delivery
from web.delivery.words import state_of
from web.live.feed import FeedState
from web.services import services

# An older observation may no longer be true.
MAX_AGE = timedelta(minutes=5)
_SENTENCES = {
    "stopped": "Delivery of {} is stopped: new messages wait in Pub/Sub.",
    "elsewhere": "{} pushes to another address than this monitor's: new messages do not arrive here.",
    "topic_deleted": "The topic of {} was deleted: no new message can arrive.",
    "detached": "{} is detached from its topic: no message can arrive.",
    "exported": "{} writes its messages to another product instead of pushing them: they do not arrive here.",
    "resource_error": "Pub/Sub reports an error in the delivery of {}: no message can arrive.",
    "missing": "The subscription {} does not exist: new messages do not arrive.",
    "denied": "The subscription {} cannot be read, so its state is unknown.",
}
_REFUSED = "The receiver rejects the pushes of {}: {}."
_NOT_LIVE = "The live feed is interrupted: new messages appear late."


@dataclass(frozen=True)
class Banner:
    """A sentence and the time of the observation, aware UTC."""

    sentence: str
    as_of: datetime


def init_app(app: Flask) -> None:
    """Offer the banners to templates."""
    app.jinja_env.globals["banners"] = current_banners


def current_banners() -> list[Banner]:
    """Return the banners for the page that is rendered now."""
    observed = [services().delivery_control.last(name) for name in services().settings.subscriptions]
    deliveries = [delivery for delivery in observed if delivery]
    return banners_of(deliveries, services().feed.state, datetime.now(UTC))


def banners_of(deliveries: list[Delivery], feed: FeedState, now: datetime) -> list[Banner]:
    """Return the banners for observed deliveries and the feed's state. Pure."""
    banners = list(_of_deliveries(deliveries, now))
    if feed.status == "reconnecting":
        banners.append(Banner(_NOT_LIVE, now))
    return banners


def _of_deliveries(deliveries: list[Delivery], now: datetime) -> Iterator[Banner]:
    for delivery in deliveries:
        if delivery.checked_at is None or now - delivery.checked_at > MAX_AGE:
            continue
        if sentence := _SENTENCES.get(state_of(delivery), ""):
            yield Banner(sentence.format(delivery.subscription), delivery.checked_at)
        elif delivery.differences:
            reasons = "; ".join(delivery.differences)
            yield Banner(_REFUSED.format(delivery.subscription, reasons), delivery.checked_at)
