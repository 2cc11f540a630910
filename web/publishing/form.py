"""The fields of the publish form: as typed, as filled in from a message, and as an outgoing message."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Literal

from flask import request

from infra.errors import InputError, SubscriptionError
from infra.messages.message import Message, is_document_id
from infra.messages.visible_text import is_visible
from infra.pubsub.publisher import MAX_ATTRIBUTES, OutgoingMessage
from web.services import services

Encoding = Literal["text", "base64"]

MAX_FORM_DATA_BYTES = 64_000
_SPARE_ROWS = 3
# Browsers send every line break of a text field as CR LF (html.spec.whatwg.org, "normalize newlines") and drop NUL.
_NOT_IN_A_FIELD = re.compile("[\r\0]")


@dataclass
class PublishForm:
    """The form as typed, or filled in from a message. ``note`` says which parts of the message do not fit into it."""

    topic: str = ""
    data: str = ""
    encoding: Encoding = "text"
    attributes: list[tuple[str, str]] = field(default_factory=list)
    ordering_key: str = ""
    note: str = ""
    origin: str = ""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The attributes, followed by a few empty rows."""
        return self.attributes + [("", "")] * max(1, min(_SPARE_ROWS, MAX_ATTRIBUTES - len(self.attributes)))


def read_form() -> PublishForm:
    """Read the form of the current request."""
    names, values = request.form.getlist("name"), request.form.getlist("value")
    pairs = [(name, _unix(value)) for name, value in zip(names, values, strict=False) if name or value]
    return PublishForm(
        topic=request.form.get("topic", ""),
        data=_unix(request.form.get("data", "")),
        encoding="base64" if request.form.get("encoding") == "base64" else "text",
        attributes=pairs,
        ordering_key=request.form.get("ordering_key", ""),
        origin=request.form.get("origin", "") if is_document_id(request.form.get("origin", "")) else "",
    )


def outgoing_message(typed: PublishForm) -> OutgoingMessage:
    """Return the message to publish. Raises InputError."""
    attributes = dict(typed.attributes)
    if len(attributes) < len(typed.attributes):
        names = [name for name, _ in typed.attributes]
        repeated = next(name for name in names if names.count(name) > 1)
        raise InputError("attributes", f"{repeated[:40]!r} is used twice.")
    return OutgoingMessage(_data(typed), attributes, typed.ordering_key)


def form_from_message(message: Message) -> PublishForm:
    """Fill in the form from a message, as far as text fields can represent it."""
    pairs = [(name, value) for name, value in message.attributes.items() if name and not name.startswith("goog")]
    fitting = [(name, value) for name, value in pairs if not _NOT_IN_A_FIELD.search(value) and is_visible(name)]
    has_plain_key = is_visible(message.ordering_key)
    typed = PublishForm(
        attributes=fitting, ordering_key=message.ordering_key if has_plain_key else "", origin=message.id
    )
    notes = []
    try:
        typed.topic = services().publisher.topics.of(message.subscription)
    except (SubscriptionError, InputError):
        notes.append("The topic of the message cannot be read: choose one.")
    if message.size_bytes > MAX_FORM_DATA_BYTES:
        notes.append("The data is too large for this form: choose a file, or republish the message unchanged.")
    else:
        typed.data, typed.encoding = _field_text(services().all_messages.payload(message))
    if len(fitting) < len(pairs) or not has_plain_key:
        notes.append(
            "Fields with control characters, which a form cannot send, are left out: republish the message unchanged."
        )
    typed.note = " ".join(notes)
    return typed


def _field_text(data: bytes) -> tuple[str, Encoding]:
    """Return the data as text for a field that sends it back byte for byte: plain if possible, otherwise base64."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\r"
    if _NOT_IN_A_FIELD.search(text):
        return base64.b64encode(data).decode(), "base64"
    return text, "text"


def _data(typed: PublishForm) -> bytes:
    upload = request.files.get("file")
    if upload and upload.filename:
        if typed.data:
            raise InputError("file", "cannot be used together with typed data. Empty the field, or choose no file.")
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
