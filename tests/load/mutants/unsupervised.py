"""A viewer that does not open its Firestore stream again."""

from flask import Flask

from web import create_app
from web.live.listener import FeedListener


def _run_once(self: FeedListener) -> None:
    problem, _ = self._try()
    if not self._stopped.is_set():
        self._handler.on_lost(problem)
        self._stopped.wait()


def create() -> Flask:
    """Return the viewer without the listener's supervisor."""
    FeedListener.run = _run_once  # type: ignore[method-assign]
    return create_app()
