"""Routes of the list of messages, of one message, and of its payload. They only read."""

from dataclasses import replace
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from infra.errors import PayloadGoneError, PayloadMaskedError, StoreUnavailableError
from infra.firestore.message_reader import Selection
from infra.messages.message import Message
from infra.query import Query, QueryError, parse
from infra.query.list_arguments import ListArguments
from infra.saved_filters import SavedFilter
from web.access.monitored import subscription_argument
from web.access.readable_messages import payload_file, readable_message, readable_messages, readers_mask
from web.access.roles import login_required, public, signed_in_user
from web.delivery.views import notice_text, read_deliveries
from web.filters.columns import MAX_COLUMNS, Columns, columns_text, heading, offered, parse_columns
from web.filters.explanation import ANSWERS, explanation
from web.filters.links import ListLinks
from web.filters.request_filter import RequestFilter, find, read_before
from web.filters.saved_filters import opening_address, saved_beside
from web.http.memory_budget import VIEW_BYTES, VIEW_FACTOR
from web.http.notices import asked_notice, list_notice
from web.messages import list_page, traces
from web.messages.own_links import own_links
from web.messages.replay_links import lineage_of
from web.messages.rows import row_with
from web.payloads import highlight, render
from web.services import services
from web.timeline.spans import spans_for
from web.timeline.views import timeline

blueprint = Blueprint("messages", __name__)


@blueprint.get("/")
@login_required
def home() -> ResponseReturnValue:
    """Redirect to the list, the home page."""
    return redirect(url_for("messages.index"), 302)


@blueprint.get("/messages")
@login_required
def index() -> ResponseReturnValue:
    """Show a page of the list: ``?q=`` a filter, ``&before=`` a cursor, ``&subscription=`` an id, ``&columns=`` names.

    As JSON it returns rows for the page's script. An invalid filter gives a page with status 400 that keeps its text.
    Without any of these arguments it redirects to the default filter, if there is one.
    """
    filters = [] if _wants_rows() else services().saved_filters.all()
    if opening := opening_address(request.args, filters):
        return redirect(opening, 302)
    q, before = request.args.get("q", "").strip(), read_before(request.args.get("before", ""))
    subscription = subscription_argument(request.args.get("subscription", ""))
    columns = parse_columns(request.args.getlist("columns"))
    if len(request.args.getlist("columns")) > 1:
        # A form of check boxes sends the name several times; one address for one list is easier to share.
        return redirect(ListLinks(ListArguments(q, subscription, columns), "q" in request.args).to(before=before), 302)
    try:
        query = parse(q, datetime.now(UTC))
    except QueryError as exc:
        if _wants_rows():
            raise
        return _list_page(list_page.refused(q, subscription, before, exc), columns, filters), 400
    found = find(RequestFilter(q, query, Selection(subscription), before), list_page.PAGE_ROWS)
    if _wants_rows():
        return jsonify(list_page.as_json(found, columns, services().highlights.current()))
    explained = explanation(query, found, uses_index=_uses_index(query)) if query.terms else None
    return _list_page(list_page.ListPage(q, subscription, before, query, found, explained=explained), columns, filters)


def _uses_index(query: Query) -> bool:
    """Tell whether the index is asked for the filter's tokens: not if one of them is hidden from this user."""
    return readable_messages().visible_selection(Selection(tokens=query.tokens)).tokens == query.tokens


def _list_page(shown: list_page.ListPage, columns: Columns, filters: list[SavedFilter]) -> str:
    view = ListArguments(shown.q, shown.subscription, columns)
    saved, deliveries = saved_beside(view, filters), read_deliveries()
    return render_template(
        "messages/list.html",
        list=shown,
        columns=columns_text(columns),
        chosen=columns,
        mask=readers_mask(),
        heading=heading,
        offered=[(name, columns_text((name,))) for name in offered(shown.found.messages, columns)],
        most_columns=MAX_COLUMNS,
        here=ListLinks(view, saved.default is not None),
        saved=saved,
        timeline=timeline(shown.query, view),
        spans=spans_for(services().settings.retention_days).values(),
        row=row_with(columns, services().highlights.note(filters)),
        answers=ANSWERS,
        before=shown.before,
        deliveries=deliveries,
        subscriptions=services().settings.subscriptions,
        retention_days=services().settings.retention_days,
        is_local=bool(services().settings.pubsub_emulator_host),
        notice=notice_text(asked_notice(), request.args.get("about", ""), deliveries) or list_notice(),
    )


@blueprint.get("/messages/<document>")
@login_required
def message(document: str) -> ResponseReturnValue:
    """Show one message; ``?part=detail`` returns only the part for the list's drawer, ``?view=`` chooses a view."""
    stored = _stored(document)
    template = "messages/detail/_detail.html" if request.args.get("part") == "detail" else "messages/message.html"
    # Before the memory is held: this search may wait for the person's CPU.
    lineage = lineage_of(stored)
    with services().page_memory.held(signed_in_user().name, _memory_for_a_view(stored)):
        shown, gone = _shown(stored, request.args.get("view"))
        return render_template(
            template,
            m=stored,
            lineage=lineage,
            trace=traces.links_of(stored),
            links=own_links(stored, services().settings.links),
            shown=shown,
            gone=gone,
            mask=readers_mask(),
            now=datetime.now(UTC),
        )


def _shown(stored: Message, wanted: str | None) -> tuple[render.RenderedPayload, str]:
    """Return a payload as its page shows it, or an empty one and the reason."""
    try:
        return render.render(_head(stored), stored.size_bytes, stored.kind, wanted), ""
    except PayloadGoneError:
        gone = "A part of the payload has expired; the message expires soon."
    except PayloadMaskedError as exc:
        gone = str(exc)
    except StoreUnavailableError as exc:
        services().log.warning("A payload is incomplete.", id=stored.id, reason=str(exc))
        gone = "The payload cannot be read now."
    return render.RenderedPayload(None, (), Markup()), gone


@blueprint.get("/messages/<document>/data")
@login_required
def data(document: str) -> ResponseReturnValue:
    """Send the payload byte for byte, as a download that browsers do not open (T29 in docs/security.md)."""
    return payload_file(_stored(document))


@blueprint.get("/pygments.css")
@public
def pygments_css() -> ResponseReturnValue:
    """Serve the colours of payloads, light and dark."""
    response = Response(highlight.style_sheet(), mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _wants_rows() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _stored(document: str) -> Message:
    stored = readable_message(document)
    if stored is None:
        days = services().settings.retention_days
        abort(404, f"This message does not exist. Messages are kept for {days} days; the link may also be incomplete.")
    return stored


def _head(message: Message) -> bytes:
    """Read the part of the payload that can be shown: of a large one, the first chunk."""
    return readable_messages().payload(replace(message, chunks=min(message.chunks, 1)))


def _memory_for_a_view(message: Message) -> int:
    return min(VIEW_BYTES, message.size_bytes * VIEW_FACTOR) if message.chunks else 0
