"""The JSON API under /api/v1: what the pages can read, and start and stop. The same sessions, roles and form tokens.

``web.api.openapi`` describes it; a test compares the two.
"""

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from infra.errors import DocumentNotFoundError, InputError, PayloadMaskedError
from infra.messages.message import Message, is_document_id
from infra.pubsub.delivery_state import Delivery
from web.access.readable_messages import readable_messages
from web.access.roles import login_required, requires, signed_in_user
from web.api import message_records
from web.api.openapi import MAX_LIMIT, document
from web.delivery.backlog import backlog_json
from web.delivery.views import delivery_json, read_deliveries
from web.filters.request_filter import find, read_filter
from web.services import services

DEFAULT_LIMIT = 50

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
@login_required
def description() -> ResponseReturnValue:
    """What there is, as OpenAPI 3.1."""
    return jsonify(document())


@blueprint.get("/session")
@login_required
def session() -> ResponseReturnValue:
    """Who asks, and the token that a POST must carry as X-CSRFToken."""
    user = signed_in_user()
    return jsonify(user=user.name, role=user.role, csrf_token=generate_csrf())


@blueprint.get("/messages")
@login_required
def messages() -> ResponseReturnValue:
    """Messages of a filter, newest first, without payloads; ``older`` is the next page's ``before``."""
    found = find(read_filter(request.args), _limit())
    return jsonify(
        messages=[message_records.summary(one) for one in found.messages],
        older=str(found.older) if found.older else None,
        looked_at=found.looked_at,
    )


@blueprint.get("/messages/<document>")
@login_required
def message(document: str) -> ResponseReturnValue:
    """One message with its whole payload, as text or base64."""
    found = _found(document)
    return jsonify({**message_records.record(found, _payload(found)), "cursor": str(found.cursor)})


@blueprint.get("/messages/<document>/data")
@login_required
def data(document: str) -> ResponseReturnValue:
    """The payload, byte for byte."""
    found = _found(document)
    response = Response(readable_messages().payload(found), mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.id}.bin"'
    return response


@blueprint.get("/subscriptions")
@login_required
def subscriptions() -> ResponseReturnValue:
    """The monitored subscriptions: state, who changed it, what waits."""
    return jsonify(subscriptions=[_subscription(one) for one in read_deliveries()])


@blueprint.post("/subscriptions/<subscription>/start")
@requires("operator")
def start(subscription: str) -> ResponseReturnValue:
    """Deliver to this monitor again, for everyone."""
    return jsonify(_subscription(services().delivery_control.start(_monitored(subscription), signed_in_user().name)))


@blueprint.post("/subscriptions/<subscription>/stop")
@requires("operator")
def stop(subscription: str) -> ResponseReturnValue:
    """Stop delivery for everyone; messages wait in Pub/Sub."""
    return jsonify(_subscription(services().delivery_control.stop(_monitored(subscription), signed_in_user().name)))


def _payload(message: Message) -> bytes | None:
    """The whole payload; None when the reader must not see it."""
    try:
        return readable_messages().payload(message)
    except PayloadMaskedError:
        return None


def _found(document: str) -> Message:
    found = readable_messages().get(document) if is_document_id(document) else None
    if found is None:
        raise DocumentNotFoundError("There is no such message; it may have expired.")
    return found


def _monitored(subscription: str) -> str:
    if subscription not in services().settings.subscriptions:
        raise DocumentNotFoundError("This subscription is not monitored here.")
    return subscription


def _subscription(delivery: Delivery) -> dict[str, object]:
    return {**delivery_json(delivery), "topic": delivery.topic, "backlog": backlog_json(delivery.subscription)}


def _limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_LIMIT):
        raise InputError("limit", f"is a whole number from 1 to {MAX_LIMIT}; found {text[:20]!r}.")
    return int(text)
