"""GET /live, the stream of Server-Sent Events.

``web.live.client_feed`` decides what is sent, ``web.live.connections`` for how long.
"""

from functools import partial

from flask import Blueprint, Flask, Response, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable

from infra.errors import BusyError
from infra.messages.message import Message
from web.access.monitored import subscription_argument
from web.access.readable_messages import readable_messages, readers_mask
from web.access.roles import login_required, session_still_valid, signed_in_user
from web.filters.columns import Columns, parse_columns
from web.http.client_socket import client_socket
from web.http.session_cookie import session_cookie
from web.live.client_filter import ClientFilter, parse_client_filter
from web.live.connections import Connection, ConnectionLimits
from web.live.frame_cache import Render
from web.live.masked_rows import MaskedRows
from web.live.sse import CONTENT_TYPE, parse_position
from web.messages.rows import row_with
from web.services import services, services_of

FULL_RETRY_SECONDS = 10

blueprint = Blueprint("live", __name__)


@blueprint.get("/live")
@login_required
def live() -> ResponseReturnValue:
    """Send messages and states as they come, as rows with the columns of the page.

    200; 400 for a filter, subscription or columns that cannot be used; 401 for a page of another user (``reader``),
    which stayed open while this one signed in; 503 if every slot, or this person's share of them, is taken.
    """
    user = signed_in_user().name
    if request.args.get("reader", user) != user:
        abort(401)
    subscription = subscription_argument(request.args.get("subscription", ""))
    client_filter = parse_client_filter(request.args.get("q", ""), subscription)
    columns = parse_columns(request.args.getlist("columns"))
    if request.method == "HEAD":
        return _response(())
    connections = services().connections
    try:
        connections.reserve(user)
    except BusyError as exc:
        raise ServiceUnavailable(str(exc), retry_after=FULL_RETRY_SECONDS) from exc
    try:
        connection = _open(user, client_filter, columns, connections.limits)
    except BaseException:
        connections.release(user)
        raise
    connections.add(connection)
    response = _response(connection)
    response.call_on_close(lambda: connections.remove(connection))
    return response


def end_streams(app: Flask) -> None:
    """End all streams of this process, now and later; clients reconnect to another process."""
    services_of(app).connections.begin_shutdown()
    services_of(app).feed.close()


def _open(user: str, client_filter: ClientFilter, columns: Columns, limits: ConnectionLimits) -> Connection:
    position = parse_position(request.headers.get("Last-Event-ID", ""), request.args.get("after", ""))
    highlights = services().highlights.current()
    render: Render | None = row_with(columns, highlights) if columns or highlights else None
    accepts = client_filter.accepts
    if readers_mask():
        masked = services().masked_rows
        render = masked.row_with(columns, highlights)
        accepts = partial(_accepts_masked, client_filter, masked)
    readable_filter = ClientFilter(
        selection=readable_messages().visible_selection(client_filter.selection),
        accepts=services().verdicts.of((client_filter.key, readers_mask()), accepts),
        is_costly=client_filter.is_costly or bool(columns) or any(rule.reads_payloads for rule in highlights),
    )
    client_feed = services().feed.watch(position, readable_filter, render=render, person=user)
    try:
        return Connection(
            user=user,
            session=session_cookie(request),
            client_feed=client_feed,
            is_session_valid=session_still_valid(),
            client_socket=client_socket(request.environ),
            limits=limits,
        )
    except BaseException:
        client_feed.close()  # otherwise the feed would run for it forever
        raise


def _accepts_masked(client_filter: ClientFilter, masked: MaskedRows, message: Message) -> bool:
    return client_filter.accepts(masked.see(message))


def _response(body: Connection | tuple[()]) -> Response:
    response = Response(body, content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would buffer frames
    return response
