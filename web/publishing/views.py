"""Publish by hand: a form, empty or filled in from a message, and a page that follows the message until it arrives.

The form offers only topics of monitored subscriptions, and the server accepts no others (T24). An error never loses the
typed text.
"""

import hashlib
import json
import re

from flask import Blueprint, abort, g, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from infra.errors import InputError, StoreError, SubscopeError, SubscriptionEndedError, SubscriptionError
from infra.messages.message import document_id, is_document_id
from infra.pubsub.publisher import MAX_DATA_BYTES, OutgoingMessage
from web.access.monitored import subscription_in_path
from web.access.roles import requires, signed_in_user, when_signed_out
from web.delivery.words import TEST_ATTRIBUTES, attributes_of_test, filter_doubt, waiting_words
from web.formats import iso, latency_text
from web.http.errors import stale_form
from web.http.memory_budget import COPIES
from web.http.negotiation import wants_page
from web.http.session_cookie import cookie_name
from web.publishing.form import MAX_FORM_DATA_BYTES, PublishForm, form_from_message, outgoing_message, read_form
from web.services import services

# 10 MB of data in base64, and the other fields.
_MAX_BODY_BYTES = 15_000_000
_MESSAGE_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
_STALE = "This form is from an earlier sign-in, so nothing was published. Your text is still here: publish it now."
_FILE_AGAIN = " Choose the file again."
_TOO_MUCH = (
    "You are signed out, and the form is too large to be shown again. Nothing was published. Sign in in another tab, "
    "go back here, and publish again."
)

blueprint = Blueprint("publishing", __name__)


@blueprint.get("/publish")
@requires("operator")
def form() -> ResponseReturnValue:
    """Show the form; ``?from=`` is the id of a message that fills it in."""
    document = request.args.get("from", "")
    if not document:
        return _page(PublishForm())
    message = services().all_messages.get(document) if is_document_id(document) else None
    if message is None:
        abort(404, "The message to publish from does not exist; it may have expired.")
    return _page(form_from_message(message))


def _form_of_signed_out_user() -> Response:
    """Show the submitted form again (401) after the session has ended. Makes no Firestore or Pub/Sub call."""
    try:
        typed = read_form()
    except RequestEntityTooLarge:
        abort(401, _TOO_MUCH)
    topics: dict[str, tuple[str, ...]] = {typed.topic: ()}
    return make_response(
        render_template("publishing/form.html", typed=typed, problems={}, topics=topics, most=MAX_DATA_BYTES), 401
    )


@blueprint.post("/publish")
@requires("operator")
@when_signed_out(_form_of_signed_out_user)
def send() -> ResponseReturnValue:
    """Publish the form: 303 to the page that follows the message, or the form again with the error beside its field."""
    typed = read_form()
    try:
        message_id = _publish_once(typed.topic, outgoing_message(typed), "message.publish")
    except InputError as exc:
        return _page(typed, {exc.field: exc.predicate}, exc.status)
    except (SubscriptionError, StoreError) as exc:
        return _page(typed, {"": _sentence(exc)}, exc.status)
    return redirect(url_for("publishing.sent", topic=typed.topic, id=message_id), 303)


@blueprint.post("/subscriptions/<subscription>/test")
@requires("operator")
def send_test(subscription: str) -> ResponseReturnValue:
    """Publish a small test message to a subscription's topic: 303 to the page that follows it.

    It has the attributes that the subscription's filter requires, if they can be found out.
    """
    subscription_in_path(subscription)
    who = signed_in_user().name
    delivery = services().delivery_control.observe(subscription)
    if delivery.end_reason:
        raise SubscriptionEndedError(f"No test message can arrive from {subscription}. {delivery.end_reason}")
    attributes = attributes_of_test(delivery)
    data = json.dumps({"test": "Hello from Subscope", "sent_by": who}).encode()
    outgoing = OutgoingMessage(data, TEST_ATTRIBUTES if attributes is None else attributes)
    topic = delivery.topic or services().publisher.topics.of(subscription)
    message_id = _publish_once(topic, outgoing, "message.test")
    return redirect(url_for("publishing.sent", topic=topic, id=message_id), 303)


@blueprint.get("/publish/sent")
@requires("operator")
def sent() -> ResponseReturnValue:
    """Follow one published message: for each monitored subscription of its topic, tell whether it has arrived."""
    topic, message_id = request.args.get("topic", ""), request.args.get("id", "")
    subscriptions = services().publisher.topics.all().get(topic, ())
    if not subscriptions or not _MESSAGE_ID.fullmatch(message_id):
        abort(404, "No message with this id was published from here.")
    stops = [_stop(subscription, message_id) for subscription in subscriptions]
    if not wants_page():
        return jsonify(stops=stops)
    return render_template("publishing/sent.html", topic=topic, message_id=message_id, stops=stops)


def _publish_once(topic: str, outgoing: OutgoingMessage, what: str) -> str:
    who = signed_in_user().name
    content = hashlib.sha256(outgoing.data).digest()
    key = (what, who, topic, content, frozenset(outgoing.attributes.items()), outgoing.ordering_key)
    return services().once.run(key, lambda: services().publisher.publish(topic, outgoing, who, what))


@blueprint.errorhandler(CSRFError)
def keep_stale_form(error: CSRFError) -> ResponseReturnValue:
    """Show the form again with a valid token, if the operator has signed in again since the page was loaded."""
    if request.endpoint != "publishing.send" or not wants_page() or not cookie_name(request):
        return stale_form(error)
    upload = request.files.get("file")
    sentence = _STALE + (_FILE_AGAIN if upload and upload.filename else "")
    return _page(read_form(), {"": sentence}, 400)


def _stop(subscription: str, message_id: str) -> dict[str, str]:
    document = document_id(subscription, message_id)
    message = services().all_messages.get(document)
    delivery = None if message else services().delivery_control.observe(subscription)
    return {
        "subscription": subscription,
        "id": document,
        "published_at": iso(message.publish_time) if message else "",
        "received_at": iso(message.received_at) if message else "",
        "latency": latency_text(message.publish_time, message.received_at) if message else "",
        "words": waiting_words(delivery) if delivery else "",
        "doubt": filter_doubt(delivery) if delivery else "",
    }


def allow_large_body() -> None:
    """Raise the size limit of the form for the route that publishes, and reserve memory for a form that needs it.

    Call it before the form is read. Raises BusyError (503).
    """
    if request.endpoint != "publishing.send":
        return
    request.max_content_length = request.max_form_memory_size = _MAX_BODY_BYTES
    # Without a length, the form comes in chunks.
    length = request.content_length if request.content_length is not None else _MAX_BODY_BYTES
    if length > MAX_FORM_DATA_BYTES:
        g.form_memory = services().payload_memory.reserve(signed_in_user().name, length * COPIES)


@blueprint.teardown_request
def _release_form(_: BaseException | None) -> None:
    if reservation := g.pop("form_memory", None):
        reservation.release()


def _page(typed: PublishForm, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    # An error that belongs to no field is shown above the form.
    fields = {"topic", "data", "file", "attributes", "ordering_key"}
    problems = {name if name in fields else "": text for name, text in (problems or {}).items()}
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
    """Return the text of an error for the page; internal addresses appear only in the log."""
    if exc.status < 500:
        return str(exc)
    services().log.error(str(exc), error=type(exc).__name__, path=request.path)
    server = "Pub/Sub" if isinstance(exc, SubscriptionError) else "The database"
    return (
        f"{server} does not answer right now. Your text is still here; check whether the message has arrived before "
        "you publish it again."
    )
