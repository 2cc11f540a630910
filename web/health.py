"""Whether this process is up, and whether it can do its work."""

import threading
import time

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from infra.errors import StoreError
from web.access.roles import public
from web.services import Services, services

# Anybody may ask: Firestore is asked at most this often.
_ASK_EVERY_SECONDS = 5.0

blueprint = Blueprint("health", __name__)


class Reachability:
    """Whether Firestore answers, asked at most once in five seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._answers = False

    def answers(self, subscope: Services) -> bool:
        """What Firestore did at the last asking."""
        with self._lock:
            if time.monotonic() - self._asked_at >= _ASK_EVERY_SECONDS:
                self._answers = _asked(subscope)
                self._asked_at = time.monotonic()
            return self._answers


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process is up."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/ready")
@public
def ready() -> ResponseReturnValue:
    """Whether Firestore answers, and the state of the feed: 200, or 503 while it cannot work."""
    asked: Reachability = current_app.extensions.setdefault("subscope_reachability", Reachability())
    reachable = asked.answers(services())
    feed = services().feed.state
    body = jsonify(ready=reachable, firestore="reachable" if reachable else "unreachable", feed=feed.as_json())
    return body, 200 if reachable else 503


def _asked(subscope: Services) -> bool:
    try:
        subscope.all_messages.get("0" * 32)
    except StoreError as exc:
        subscope.log.warning("Firestore does not answer", reason=str(exc))
        return False
    return True
