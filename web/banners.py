"""What stands above a page that shows a message or acts: delivery that does not come here, a feed that is not live.

From what this process saw last, while somebody watched or a list was opened: a page asks nobody for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask

from infra.pubsub.delivery_state import Delivery
from web.delivery.views import state_of
from web.live.feed import FeedState
from web.services import services

# What was seen earlier than that may not be so any more.
KEEP = timedelta(minutes=5)
_SENTENCES = {
    "stopped": "Delivery of {} is stopped: new messages wait in Pub/Sub.",
    "elsewhere": "{} pushes to another address than this monitor's: new messages do not arrive here.",
    "missing": "The subscription {} is not there: nothing new arrives.",
    "denied": "The subscription {} cannot be read: whether messages arrive is not known.",
}
_REFUSED = "What {} pushes is refused here: {}."
_NOT_LIVE = "The live feed is interrupted: what is new appears late."


@dataclass(frozen=True)
class Notice:
    """A sentence and the moment it was true at; aware UTC."""

    sentence: str
    as_of: datetime


def init_app(app: Flask) -> None:
    """Let every page ask."""
    app.jinja_env.globals["standing"] = standing


def standing() -> list[Notice]:
    """What is not as people expect it to be, for the page that is made now."""
    seen = [services().delivery_control.last(one) for one in services().settings.subscriptions]
    return notices([one for one in seen if one], services().feed.state, datetime.now(UTC))


def notices(deliveries: list[Delivery], feed: FeedState, now: datetime) -> list[Notice]:
    """The notices of what was seen. Pure."""
    return [*_of_deliveries(deliveries, now), *([Notice(_NOT_LIVE, now)] if feed.status == "reconnecting" else [])]


def _of_deliveries(deliveries: list[Delivery], now: datetime) -> Iterator[Notice]:
    for one in deliveries:
        if one.checked_at is None or now - one.checked_at > KEEP:
            continue
        if sentence := _SENTENCES.get(state_of(one), ""):
            yield Notice(sentence.format(one.subscription), one.checked_at)
        elif one.differences:
            yield Notice(_REFUSED.format(one.subscription, "; ".join(one.differences)), one.checked_at)
