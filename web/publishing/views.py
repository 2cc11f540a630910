"""Publishing by hand: a form, from scratch or from a message, and the way of what was published until it is here.

Only topics of monitored subscriptions are offered, and the server takes no others (T24). What was typed is never lost.
"""

import json
import re

from flask import Blueprint, abort, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from infra.errors import InputError, StoreError, SubscopeError, SubscriptionError
from infra.messages.message import document_id, is_document_id
from infra.pubsub.publisher import MAX_DATA_BYTES, OutgoingMessage
from web.access.monitored import subscription_in_path
from web.access.roles import requires, signed_in_user, when_signed_out
from web.delivery.views import STATE_WORDS, state_of
from web.formats import iso, latency_text
from web.http.errors import stale_form
from web.http.negotiation import wants_page
from web.http.session_cookie import cookie_name
from web.publishing.form import Typed, from_message, outgoing_of, read_typed
from web.services import services

# Ten megabytes in base64, and what is around them.
_MAX_BODY_BYTES = 15_000_000
_MESSAGE_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
_STALE = "This form is from an earlier sign-in, so nothing was published. What you typed is still here: publish it now."
_FILE_AGAIN = " Only the file has to be chosen again."
_TOO_MUCH = (
    "Nothing was published. What you sent is more than this page keeps for somebody who is signed out: sign in in "
    "another tab, go back here, and publish again."
)

blueprint = Blueprint("publishing", __name__)


@blueprint.get("/publish")
@requires("operator")
def form() -> ResponseReturnValue:
    """The form; with ``?from=`` a message's id, filled in from it."""
    document = request.args.get("from", "")
    if not document:
        return _page(Typed())
    found = services().all_messages.get(document) if is_document_id(document) else None
    if found is None:
        abort(404, "The message to publish from is not there; it may have expired.")
    return _page(from_message(found))


def _kept() -> Response:
    """The form as it was sent by somebody whose sign-in has ended: 401. It shows nothing else, and asks nobody."""
    try:
        typed = read_typed()
    except RequestEntityTooLarge:
        abort(401, _TOO_MUCH)
    topics: dict[str, tuple[str, ...]] = {typed.topic: ()}
    return make_response(
        render_template("publishing/form.html", typed=typed, problems={}, topics=topics, most=MAX_DATA_BYTES), 401
    )


@blueprint.post("/publish")
@requires("operator")
@when_signed_out(_kept)
def send() -> ResponseReturnValue:
    """Publish what the form holds: 303 to its way, or the form again with what is wrong beside the field."""
    typed = read_typed()
    try:
        message_id = services().publisher.publish(typed.topic, outgoing_of(typed), signed_in_user().name)
    except InputError as exc:
        return _page(typed, {exc.field: exc.predicate}, exc.status)
    except (SubscriptionError, StoreError) as exc:
        return _page(typed, {"": _sentence(exc)}, exc.status)
    return redirect(url_for("publishing.sent", topic=typed.topic, id=message_id), 303)


@blueprint.post("/subscriptions/<subscription>/test")
@requires("operator")
def send_test(subscription: str) -> ResponseReturnValue:
    """Publish a small message to a monitored subscription's topic, to follow it through the chain: 303 to its way."""
    subscription_in_path(subscription)
    who = signed_in_user().name
    outgoing = OutgoingMessage(
        json.dumps({"test": "Hello from Subscope", "sent_by": who}).encode(), {"subscope": "test"}
    )
    topic = services().publisher.topics.of(subscription)
    message_id = services().publisher.publish(topic, outgoing, who, what="message.test")
    return redirect(url_for("publishing.sent", topic=topic, id=message_id), 303)


@blueprint.get("/publish/sent")
@requires("operator")
def sent() -> ResponseReturnValue:
    """The way of one published message: for each monitored subscription of its topic, whether it is here."""
    topic, message_id = request.args.get("topic", ""), request.args.get("id", "")
    subscriptions = services().publisher.topics.all().get(topic, ())
    if not subscriptions or not _MESSAGE_ID.fullmatch(message_id):
        abort(404, "Nothing of that id was published from here.")
    stops = [_stop(subscription, message_id) for subscription in subscriptions]
    if not wants_page():
        return jsonify(stops=stops)
    return render_template("publishing/sent.html", topic=topic, message_id=message_id, stops=stops, words=STATE_WORDS)


@blueprint.errorhandler(CSRFError)
def keep_stale_form(error: CSRFError) -> ResponseReturnValue:
    """The form again, with a token that counts, for an operator who signed in anew since it was made."""
    if request.endpoint != "publishing.send" or not wants_page() or not cookie_name(request):
        return stale_form(error)
    upload = request.files.get("file")
    sentence = _STALE + (_FILE_AGAIN if upload and upload.filename else "")
    return _page(read_typed(), {"": sentence}, 400)


def _stop(subscription: str, message_id: str) -> dict[str, str]:
    document = document_id(subscription, message_id)
    found = services().all_messages.get(document)
    return {
        "subscription": subscription,
        "id": document,
        "published_at": iso(found.publish_time) if found else "",
        "received_at": iso(found.received_at) if found else "",
        "latency": latency_text(found.publish_time, found.received_at) if found else "",
        "state": "" if found else state_of(services().delivery_control.observe(subscription)),
    }


def allow_large_body() -> None:
    """Raise the size limit of the form for the route that publishes. Call it before the form is read."""
    if request.endpoint == "publishing.send":
        request.max_content_length = request.max_form_memory_size = _MAX_BODY_BYTES


def _page(typed: Typed, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    # A problem of another place than the form's fields stands above it.
    known = {"topic", "data", "file", "attributes", "ordering_key"}
    problems = {name if name in known else "": text for name, text in (problems or {}).items()}
    try:
        topics = services().publisher.topics.all()
    except SubscriptionError as exc:
        topics, status = {typed.topic: ()} if typed.topic else {}, max(status, exc.status)
        problems.setdefault("", _sentence(exc))
    return make_response(
        render_template("publishing/form.html", typed=typed, problems=problems, topics=topics, most=MAX_DATA_BYTES),
        status,
    )


def _sentence(exc: SubscopeError) -> str:
    """What a person is told; our inner addresses stay in the log."""
    if exc.status < 500:
        return str(exc)
    services().log.error(str(exc), error=type(exc).__name__, path=request.path)
    who = "Pub/Sub" if isinstance(exc, SubscriptionError) else "The database"
    return (
        f"{who} does not answer right now. Nothing typed is lost; see whether it arrived before you publish it again."
    )
