"""Counts pages and other answers of more than a megabyte while they are sent: they are in memory as a whole."""

from flask import Flask, g
from werkzeug.wrappers import Response

from infra.errors import BusyError
from web.http.errors import answer, retry_after
from web.services import services

# The server sends a shorter answer without its thread, and bounds all of those itself (infra.web_server.outbox).
COUNTED_BYTES = 1024 * 1024
_SENTENCE = "Too many large pages are being sent. Try again in a moment."


def init_app(app: Flask) -> None:
    """Count the answers of every route. Call it before ``compression.init_app``, which then runs first."""
    app.after_request(_count)


def _count(response: Response) -> Response:
    length = 0 if response.is_streamed else response.calculate_content_length() or 0
    if length <= COUNTED_BYTES:
        return response
    user = g.get("user")
    reservation = services().payload_memory.try_to_reserve(user.name if user else "", length)
    if reservation is None:
        return answer(503, _SENTENCE, retry_after(BusyError(_SENTENCE)))
    response.call_on_close(reservation.release)
    return response
