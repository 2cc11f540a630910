"""The probes: ``/healthz`` says that the process is up, ``/ready`` whether it can do its work."""

import threading
import time

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from infra.errors import StoreError
from infra.firestore.message_reader import MessageReader
from infra.logs import Logger
from infra.version import version
from web.access.roles import public
from web.services import services

# The route is public, so the answer is cached: strangers cannot make us read Firestore more often than this.
_CACHE_SECONDS = 5.0

blueprint = Blueprint("health", __name__)


class Reachability:
    """Whether Firestore answers, cached for five seconds. Thread-safe."""

    def __init__(self, messages: MessageReader, log: Logger) -> None:
        self._messages, self._log = messages, log
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._is_reachable = False

    def is_reachable(self) -> bool:
        """Return whether Firestore answered the last check; check again if that is older than the cache time."""
        with self._lock:
            if time.monotonic() - self._checked_at >= _CACHE_SECONDS:
                self._is_reachable = self._check()
                self._checked_at = time.monotonic()
            return self._is_reachable

    def _check(self) -> bool:
        try:
            self._messages.get("0" * 32)
        except StoreError as exc:
            self._log.warning("Firestore does not answer.", reason=str(exc))
            return False
        return True


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """Answer that the process is up."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/ready")
@public
def ready() -> ResponseReturnValue:
    """Report whether Firestore answers, the state of the feed and the version: 200, or 503 while Firestore is away."""
    is_reachable = services().reachability.is_reachable()
    body = jsonify(
        ready=is_reachable,
        firestore="reachable" if is_reachable else "unreachable",
        feed=services().feed.state.as_json(),
        version=version(),
    )
    return body, 200 if is_reachable else 503
