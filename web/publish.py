"""Publishing by hand: a form, from scratch or from a message, and the way of what was published until it is here.

Only topics of monitored subscriptions are offered, and the server takes no others (T24). What was typed is never lost.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Literal

from flask import Blueprint, Flask, abort, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from infra.errors import InputError, StoreError, SubscopeError, SubscriptionError
from infra.message import Message, document_id, is_document_id
from infra.publishing import MAX_ATTRIBUTES, MAX_DATA_BYTES, Outgoing
from web.auth import requires, signed_in_user, wants_page
from web.delivery import WORDS, state_of
from web.formats import iso, latency_text
from web.services import services

Encoding = Literal["text", "base64"]

MOST_IN_FORM = 64_000
# Ten megabytes in base64, and what is around them.
_MAX_BODY_BYTES = 15_000_000
_SPARE_ROWS = 3
_MESSAGE_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
# A text field writes every line break as CR LF (html.spec.whatwg.org, "normalize newlines") and has no NUL.
_NOT_IN_A_FIELD = re.compile("[\r\0]")

blueprint = Blueprint("publish", __name__)


@dataclass
class Typed:
    """The form as it was typed, or filled in from a message. ``note`` says what could not be filled in."""

    topic: str = ""
    data: str = ""
    encoding: Encoding = "text"
    attributes: list[tuple[str, str]] = field(default_factory=list)
    ordering_key: str = ""
    note: str = ""
    origin: str = ""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The attributes, and some empty rows for more."""
        return self.attributes + [("", "")] * max(1, min(_SPARE_ROWS, MAX_ATTRIBUTES - len(self.attributes)))


def init_app(app: Flask) -> None:
    """Take larger bodies where one is published: after the role's check, before the form token's reads the form."""
    app.before_request(_take_large_bodies)


@blueprint.get("/publish")
@requires("operator")
def form() -> ResponseReturnValue:
    """The form; with ``?from=`` a message's id, filled in from it."""
    document = request.args.get("from", "")
    if not document:
        return _page(Typed())
    found = services().messages.get(document) if is_document_id(document) else None
    if found is None:
        abort(404, "The message to publish from is not there; it may have expired.")
    return _page(_from_message(found))


@blueprint.post("/publish")
@requires("operator")
def send() -> ResponseReturnValue:
    """Publish what the form holds: 303 to its way, or the form again with what is wrong beside the field."""
    typed = _typed()
    try:
        message_id = services().publisher.publish(typed.topic, _outgoing(typed), signed_in_user().name)
    except InputError as exc:
        return _page(typed, {exc.field: str(exc).removeprefix(f"{exc.field}: ")}, exc.status)
    except (SubscriptionError, StoreError) as exc:
        return _page(typed, {"": _sentence(exc)}, exc.status)
    return redirect(url_for("publish.sent", topic=typed.topic, id=message_id), 303)


@blueprint.post("/subscriptions/<subscription>/test")
@requires("operator")
def test(subscription: str) -> ResponseReturnValue:
    """Publish a small message to a monitored subscription's topic, to follow it through the chain: 303 to its way."""
    if subscription not in services().settings.subscriptions:
        abort(404, "This subscription is not monitored here.")
    who = signed_in_user().name
    outgoing = Outgoing(json.dumps({"test": "Hello from Subscope", "sent_by": who}).encode(), {"subscope": "test"})
    topic = services().publisher.topics.of(subscription)
    message_id = services().publisher.publish(topic, outgoing, who, what="message.test")
    return redirect(url_for("publish.sent", topic=topic, id=message_id), 303)


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
    return render_template("sent.html", topic=topic, message_id=message_id, stops=stops, words=WORDS)


def _stop(subscription: str, message_id: str) -> dict[str, str]:
    document = document_id(subscription, message_id)
    found = services().messages.get(document)
    return {
        "subscription": subscription,
        "id": document,
        "published_at": iso(found.publish_time) if found else "",
        "received_at": iso(found.received_at) if found else "",
        "latency": latency_text(found.publish_time, found.received_at) if found else "",
        "state": "" if found else state_of(services().subscriptions.observe(subscription)),
    }


def _take_large_bodies() -> None:
    if request.endpoint == "publish.send":
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
        render_template("publish.html", typed=typed, problems=problems, topics=topics, most=MAX_DATA_BYTES), status
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


def _typed() -> Typed:
    names, values = request.form.getlist("name"), request.form.getlist("value")
    pairs = [(name, _unix(value)) for name, value in zip(names, values, strict=False) if name or value]
    return Typed(
        topic=request.form.get("topic", ""),
        data=_unix(request.form.get("data", "")),
        encoding="base64" if request.form.get("encoding") == "base64" else "text",
        attributes=pairs,
        ordering_key=request.form.get("ordering_key", ""),
        origin=request.form.get("origin", "") if is_document_id(request.form.get("origin", "")) else "",
    )


def _outgoing(typed: Typed) -> Outgoing:
    """What is published. Raises InputError."""
    attributes = dict(typed.attributes)
    if len(attributes) < len(typed.attributes):
        names = [name for name, _ in typed.attributes]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError("attributes", f"{twice[:40]!r} is there twice.")
    return Outgoing(_data(typed), attributes, typed.ordering_key)


def _data(typed: Typed) -> bytes:
    upload = request.files.get("file")
    if upload and upload.filename:
        if typed.data:
            raise InputError("file", "is there, and so is typed data. Empty the field, or choose no file.")
        content: bytes = upload.read()
        return content
    if typed.encoding == "base64":
        try:
            return base64.b64decode("".join(typed.data.split()), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise InputError("data", f"is not base64: {exc}.") from exc
    try:
        return typed.data.encode()
    except UnicodeEncodeError as exc:
        raise InputError("data", "holds half of a character, which UTF-8 cannot write.") from exc


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _from_message(message: Message) -> Typed:
    pairs = [(name, value) for name, value in message.attributes.items() if name and not name.startswith("goog")]
    kept = [(name, value) for name, value in pairs if not _NOT_IN_A_FIELD.search(value) and name.isprintable()]
    has_plain_key = message.ordering_key.isprintable()
    typed = Typed(attributes=kept, ordering_key=message.ordering_key if has_plain_key else "", origin=message.id)
    notes = []
    try:
        typed.topic = services().publisher.topics.of(message.subscription)
    except (SubscriptionError, InputError):
        notes.append("The topic it came from cannot be read: choose one.")
    if message.size_bytes > MOST_IN_FORM:
        notes.append("Its data is too large for this form: choose a file, or republish the message as it is.")
    else:
        typed.data, typed.encoding = _shown(services().messages.payload(message))
    if len(kept) < len(pairs) or not has_plain_key:
        notes.append("What holds control characters, which no form can carry, is left out: republish it as it is.")
    typed.note = " ".join(notes)
    return typed


def _shown(data: bytes) -> tuple[str, Encoding]:
    """Data as a text field can give it back byte for byte."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\r"
    if _NOT_IN_A_FIELD.search(text):
        return base64.b64encode(data).decode(), "base64"
    return text, "text"
