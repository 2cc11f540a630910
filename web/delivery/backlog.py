"""What waits in Pub/Sub, in words beside the state of delivery, with the figure's age."""

from datetime import datetime, timedelta

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from infra.pubsub.backlog import SubscriptionBacklog
from infra.pubsub.delivery_state import Delivery
from web.access.roles import login_required
from web.formats import iso
from web.services import services

UNKNOWN = "backlog unknown"
# When a page asks again: the local cloud's figure is of this moment, Google's a minute old at best.
NEXT_SECONDS, NEXT_LOCAL_SECONDS = 30, 5

blueprint = Blueprint("backlog", __name__)


def init_app(app: Flask) -> None:
    """Let the strip ask."""
    app.jinja_env.globals.update(backlog_of=backlog_of, backlog_words=backlog_words, lost_from=lost_from)


@blueprint.get("/backlog")
@login_required
def backlog() -> ResponseReturnValue:
    """The figures of every monitored subscription, for the page's own script, and when to ask again."""
    return jsonify(
        subscriptions={name: backlog_json(name) for name in services().settings.subscriptions},
        next_seconds=NEXT_LOCAL_SECONDS if services().settings.backlog_url else NEXT_SECONDS,
    )


def backlog_of(subscription: str) -> SubscriptionBacklog | None:
    """The last figures; None when they are not known."""
    return services().backlogs.all().get(subscription)


def backlog_words(found: SubscriptionBacklog | None) -> str:
    """``1,240 waiting, oldest 12 min``, without its time."""
    if found is None:
        return UNKNOWN
    if not found.messages:
        return "nothing waiting"
    oldest = "" if found.oldest_seconds is None else f", oldest {_age(max(1, found.oldest_seconds))}"
    return f"{found.messages:,} waiting{oldest}"


def lost_from(found: SubscriptionBacklog | None, delivery: Delivery | None) -> datetime | None:
    """When Pub/Sub drops the oldest of what waits, unless it is delivered first; aware UTC.

    None while it is delivered here, when nothing waits, and when it is not known.
    """
    if found is None or found.oldest_seconds is None or delivery is None or delivery.retention is None:
        return None
    if delivery.state == "receiving" and delivery.ours:
        return None
    return found.as_of - timedelta(seconds=found.oldest_seconds) + delivery.retention


def backlog_json(subscription: str) -> dict[str, object] | None:
    """The figures for a script; None when they are not known."""
    found = backlog_of(subscription)
    if found is None:
        return None
    lost = lost_from(found, services().delivery_control.last(subscription))
    return {
        "messages": found.messages,
        "oldest_seconds": found.oldest_seconds,
        "as_of": iso(found.as_of),
        "words": backlog_words(found),
        "lost_from": iso(lost) if lost else None,
    }


def _age(seconds: int) -> str:
    """As exact as the figure is: ``45 s``, ``12 min``, ``3 h``, ``2 d``."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
