"""GET /live: the stream of Server-Sent Events. Content: ``web.live.client_feed``, duration: ``web.live.connections``"""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Flask, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable

from infra.firestore.message_reader import Selection
from infra.firestore.search import narrowed
from infra.messages.message import Message
from infra.query import Query, parse
from web.access.readable_messages import readable_messages, readers_mask
from web.access.roles import login_required, session_still_valid, signed_in_user
from web.filters.columns import Columns, parse_columns
from web.filters.request_filter import monitored
from web.live.client_feed import Predicate
from web.live.connections import Connection, ConnectionLimitError, ConnectionLimits
from web.live.frame_cache import Render
from web.live.sse import CONTENT_TYPE, parse_position
from web.messages.rows import row_with
from web.services import services, services_of

FULL_RETRY_SECONDS = 10

blueprint = Blueprint("live", __name__)


@dataclass(frozen=True)
class StreamRequest:
    """What a client watches: ``selection`` is what Firestore can narrow, ``accepts`` decides."""

    selection: Selection
    accepts: Predicate


@blueprint.get("/live")
@login_required
def live() -> ResponseReturnValue:
    """Messages and states as they come, rows with the columns of the page.

    200, 400 for a filter, subscription or columns that cannot be used, 503 when every slot, or the person's share of
    them, is taken.
    """
    wanted = read_stream_request(request.args.get("q", ""), monitored(request.args.get("subscription", "")))
    columns = parse_columns(request.args.getlist("columns"))
    if request.method == "HEAD":
        return _response(())
    streams = services().connections
    who = signed_in_user().name
    try:
        streams.reserve(who)
    except ConnectionLimitError as exc:
        raise ServiceUnavailable(str(exc), retry_after=FULL_RETRY_SECONDS) from exc
    try:
        stream = _open(who, wanted, columns, streams.limits)
    except BaseException:
        streams.release(who)
        raise
    streams.add(stream)
    response = _response(stream)
    response.call_on_close(lambda: streams.remove(stream))
    return response


def end_streams(app: Flask) -> None:
    """End all streams of this process, now and later; clients come back to another one."""
    services_of(app).connections.hurry()
    services_of(app).feed.close()


def read_stream_request(q: str, subscription: str) -> StreamRequest:
    """What ``?q=`` and ``?subscription=`` ask for, the same as in the list. Raises QueryError."""
    query = parse(q, datetime.now(UTC))
    selection = Selection(subscription)
    return StreamRequest(narrowed(selection, query), lambda message: _is_selected(subscription, query, message))


def _is_selected(subscription: str, query: Query, message: Message) -> bool:
    return (not subscription or message.subscription == subscription) and query.matches(message)


def _open(who: str, wanted: StreamRequest, columns: Columns, limits: ConnectionLimits) -> Connection:
    position = parse_position(request.headers.get("Last-Event-ID", ""), request.args.get("after", ""))
    accepts = wanted.accepts
    render: Render | None = row_with(columns) if columns else None
    if readers_mask():
        masked = services().masked_rows
        render, accepts = masked.row_with(columns), lambda message: wanted.accepts(masked.see(message))
    selection = readable_messages().visible_selection(wanted.selection)
    watcher = services().feed.watch(position, selection, accepts, render)
    connection = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    try:
        return Connection(who, watcher, session_still_valid(), connection, limits)
    except BaseException:
        watcher.close()  # or the feed would run for it for ever
        raise


def _response(body: Connection | tuple[()]) -> Response:
    response = Response(body, content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx, and what imitates it, would hold frames back
    return response
