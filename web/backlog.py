"""What waits in Pub/Sub, in words beside the state of delivery, with the figure's age."""

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from infra.backlog import Backlog
from web.auth import login_required
from web.formats import iso
from web.services import services

UNKNOWN = "backlog unknown"

blueprint = Blueprint("backlog", __name__)


def init_app(app: Flask) -> None:
    """Let the strip ask."""
    app.jinja_env.globals.update(backlog_of=backlog_of, backlog_words=backlog_words)


@blueprint.get("/backlog")
@login_required
def backlog() -> ResponseReturnValue:
    """The figures of every monitored subscription, for the page's own script."""
    return jsonify(subscriptions={name: backlog_json(name) for name in services().settings.subscriptions})


def backlog_of(subscription: str) -> Backlog | None:
    """The last figures; None when they are not known."""
    return services().backlogs.all().get(subscription)


def backlog_words(found: Backlog | None) -> str:
    """``1,240 waiting, oldest 12 min``, without its time."""
    if found is None:
        return UNKNOWN
    if not found.messages:
        return "nothing waiting"
    oldest = "" if found.oldest_seconds is None else f", oldest {_age(max(1, found.oldest_seconds))}"
    return f"{found.messages:,} waiting{oldest}"


def backlog_json(subscription: str) -> dict[str, object] | None:
    """The figures for a script; None when they are not known."""
    found = backlog_of(subscription)
    if found is None:
        return None
    return {
        "messages": found.messages,
        "oldest_seconds": found.oldest_seconds,
        "as_of": iso(found.as_of),
        "words": backlog_words(found),
    }


def _age(seconds: int) -> str:
    """As exact as the figure is: ``45 s``, ``12 min``, ``3 h``, ``2 d``."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
