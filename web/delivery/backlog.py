"""The backlog in words: the number of messages that wait in Pub/Sub, and the age of this figure."""

from datetime import datetime, timedelta

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from infra.pubsub.backlog import SubscriptionBacklog
from infra.pubsub.delivery_state import Delivery
from web.access.roles import login_required
from web.formats import iso
from web.services import services

UNKNOWN = "backlog unknown"
# When a page asks again: the local cloud's figure is current, Google's at least a minute old.
NEXT_SECONDS, NEXT_LOCAL_SECONDS = 30, 5

blueprint = Blueprint("backlog", __name__)


def init_app(app: Flask) -> None:
    """Let templates show backlogs."""
    app.jinja_env.globals.update(backlog_of=backlog_of, backlog_words=backlog_words, lost_from=lost_from)


@blueprint.get("/backlog")
@login_required
def backlog() -> ResponseReturnValue:
    """Return the figures of every monitored subscription, and when the page's script should ask again."""
    return jsonify(
        subscriptions={name: backlog_json(name) for name in services().settings.subscriptions},
        next_seconds=NEXT_LOCAL_SECONDS if services().settings.backlog_url else NEXT_SECONDS,
    )


def backlog_of(subscription: str) -> SubscriptionBacklog | None:
    """Return the last figures; None if they are unknown."""
    return services().backlogs.all().get(subscription)


def backlog_words(backlog: SubscriptionBacklog | None) -> str:
    """Return words like ``1,240 waiting, oldest 12 min``."""
    if backlog is None:
        return UNKNOWN
    if not backlog.messages:
        return "nothing waiting"
    oldest = "" if backlog.oldest_seconds is None else f", oldest {_age(max(1, backlog.oldest_seconds))}"
    return f"{backlog.messages:,} waiting{oldest}"


def lost_from(backlog: SubscriptionBacklog | None, delivery: Delivery | None) -> datetime | None:
    """Return when Pub/Sub drops the oldest waiting message unless it is delivered first; aware UTC.

    None while it is delivered here, if no message waits, and if the time is unknown.
    """
    if backlog is None or backlog.oldest_seconds is None or delivery is None or delivery.retention is None:
        return None
    if delivery.is_pushing and delivery.ours:
        return None
    return backlog.as_of - timedelta(seconds=backlog.oldest_seconds) + delivery.retention


def backlog_json(subscription: str) -> dict[str, object] | None:
    """Return the figures for a script; None if they are unknown."""
    figures = backlog_of(subscription)
    if figures is None:
        return None
    lost = lost_from(figures, services().delivery_control.last(subscription))
    return {
        "messages": figures.messages,
        "oldest_seconds": figures.oldest_seconds,
        "as_of": iso(figures.as_of),
        "words": backlog_words(figures),
        "lost_from": iso(lost) if lost else None,
    }


def _age(seconds: int) -> str:
    """Return an age in its largest unit, as the figure is no more exact: ``45 s``, ``12 min``, ``3 h``, ``2 d``."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
