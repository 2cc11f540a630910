"""A viewer that sends a client nothing of what it missed before it connected."""

from flask import Flask

from web import create_app
from web.live.client_feed import ClientFeed


def _skip_replay(self: ClientFeed) -> None:
    self._state = "live"


def create() -> Flask:
    """Return the viewer without replays."""
    ClientFeed._try_replay = _skip_replay  # type: ignore[method-assign]
    return create_app()
