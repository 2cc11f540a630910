"""The viewer with short limits, for gunicorn to serve in tests: ``tests.support.viewer.hasty:create()``."""

from dataclasses import replace

from flask import Flask

from tests.support.viewer.visitor import services_of
from web import create_app
from web.http.memory_budget import STREAMED_BYTES
from web.live.connections import ConnectionLimits

HASTY = ConnectionLimits(keep_alive_seconds=0.5, stall_seconds=3, shutdown_stall_seconds=1, session_seconds=1)


def create() -> Flask:
    """Return the viewer with limits of seconds instead of minutes."""
    return _with(HASTY)


def short_lived() -> Flask:
    """Return the viewer with streams that end after three seconds."""
    return _with(replace(HASTY, life_seconds=3))


def small_memory() -> Flask:
    """Return the viewer with memory for four payloads that are sent in chunks, two of them for one person."""
    app = create_app()
    services_of(app).payload_memory.total_bytes = 4 * STREAMED_BYTES
    return app


def _with(limits: ConnectionLimits) -> Flask:
    app = create_app()
    services_of(app).connections.limits = limits
    return app
