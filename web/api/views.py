"""The JSON API under /api/v1: it reads what the pages show, and starts and stops delivery.

It has the same sessions, roles and form tokens as the pages. ``openapi.yaml`` describes it; a test compares the two.
"""

from collections.abc import Iterator

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from infra.errors import DocumentNotFoundError, InputError, PayloadMaskedError
from infra.messages.message import Message
from infra.messages.record import record, summary
from infra.messages.record_parts import is_utf8, record_parts
from infra.pubsub.delivery_state import Delivery
from infra.version import version
from web.access.monitored import subscription_in_path
from web.access.readable_messages import payload_cost, payload_file, readable_message, readable_messages, send_payload
from web.access.roles import login_required, requires, signed_in_user
from web.api.openapi import document
from web.delivery.backlog import backlog_json
from web.delivery.views import delivery_json, read_deliveries
from web.filters.request_filter import find, read_filter
from web.services import services

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
@login_required
def description() -> ResponseReturnValue:
    """Return the description of the API, OpenAPI 3.1."""
    return jsonify(document())


@blueprint.get("/session")
@login_required
def session() -> ResponseReturnValue:
    """Return the signed-in user, the token that a POST must carry as X-CSRFToken, and the version of Subscope."""
    user = signed_in_user()
    return jsonify(user=user.name, role=user.role, csrf_token=generate_csrf(), version=version())


@blueprint.get("/messages")
@login_required
def messages() -> ResponseReturnValue:
    """Return the messages of a filter without payloads, newest first; ``older`` is the next page's ``before``."""
    page = find(read_filter(request.args), _limit())
    return jsonify(
        messages=[summary(message) for message in page.messages],
        older=str(page.older) if page.older else None,
        looked_at=page.looked_at,
    )


@blueprint.get("/messages/<document>")
@login_required
def message(document: str) -> ResponseReturnValue:
    """Return one message with its whole payload, as text or base64."""
    stored = _message(document)
    messages, cursor = readable_messages(), str(stored.cursor)
    if messages.mask.changes_payloads:
        with services().payload_memory.held(signed_in_user().name, payload_cost(stored)):
            return jsonify({**record(stored, _payload(stored)), "cursor": cursor})

    def pieces() -> Iterator[bytes]:
        # The payload is read twice: each byte counts for the field that it belongs in.
        is_text = is_utf8(messages.payload_parts(stored))
        return record_parts(stored, messages.payload_parts(stored), is_text=is_text, cursor=cursor)

    return send_payload(stored, pieces, "application/json")


@blueprint.get("/messages/<document>/data")
@login_required
def data(document: str) -> ResponseReturnValue:
    """Return the payload, byte for byte."""
    return payload_file(_message(document))


@blueprint.get("/subscriptions")
@login_required
def subscriptions() -> ResponseReturnValue:
    """Return the monitored subscriptions: the state, who changed it, and the backlog."""
    return jsonify(subscriptions=[_subscription_json(delivery) for delivery in read_deliveries()])


@blueprint.post("/subscriptions/<subscription>/start")
@requires("operator")
def start(subscription: str) -> ResponseReturnValue:
    """Start delivery to this monitor, for everyone."""
    name, user = subscription_in_path(subscription), signed_in_user().name
    return jsonify(_subscription_json(services().delivery_control.start(name, user)))


@blueprint.post("/subscriptions/<subscription>/stop")
@requires("operator")
def stop(subscription: str) -> ResponseReturnValue:
    """Stop delivery, for everyone; messages wait in Pub/Sub."""
    name, user = subscription_in_path(subscription), signed_in_user().name
    return jsonify(_subscription_json(services().delivery_control.stop(name, user)))


def _message(document: str) -> Message:
    stored = readable_message(document)
    if stored is None:
        raise DocumentNotFoundError("There is no such message; it may have expired.")
    return stored


def _payload(stored: Message) -> bytes | None:
    """Return the whole payload; None if this user must not see it."""
    try:
        return readable_messages().payload(stored)
    except PayloadMaskedError:
        return None


def _subscription_json(delivery: Delivery) -> dict[str, object]:
    return {**delivery_json(delivery), "topic": delivery.topic, "backlog": backlog_json(delivery.subscription)}


def _limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_LIMIT):
        raise InputError("limit", f"is a whole number from 1 to {MAX_LIMIT}; found {text[:20]!r}.")
    return int(text)
