"""The publish form's fields: as typed, as filled in from a message, and as they are published."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Literal

from flask import request

from infra.errors import InputError, SubscriptionError
from infra.messages.message import Message, is_document_id
from infra.pubsub.publisher import MAX_ATTRIBUTES, OutgoingMessage
from web.services import services

Encoding = Literal["text", "base64"]

MAX_FORM_DATA_BYTES = 64_000
_SPARE_ROWS = 3
# A text field writes every line break as CR LF (html.spec.whatwg.org, "normalize newlines") and has no NUL.
_NOT_IN_A_FIELD = re.compile("[\r\0]")


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


def read_typed() -> Typed:
    """The request's form."""
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


def outgoing_of(typed: Typed) -> OutgoingMessage:
    """What is published. Raises InputError."""
    attributes = dict(typed.attributes)
    if len(attributes) < len(typed.attributes):
        names = [name for name, _ in typed.attributes]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError("attributes", f"{twice[:40]!r} is there twice.")
    return OutgoingMessage(_data(typed), attributes, typed.ordering_key)


def from_message(message: Message) -> Typed:
    """The form filled in from a message, as far as a form can carry it."""
    pairs = [(name, value) for name, value in message.attributes.items() if name and not name.startswith("goog")]
    kept = [(name, value) for name, value in pairs if not _NOT_IN_A_FIELD.search(value) and name.isprintable()]
    has_plain_key = message.ordering_key.isprintable()
    typed = Typed(attributes=kept, ordering_key=message.ordering_key if has_plain_key else "", origin=message.id)
    notes = []
    try:
        typed.topic = services().publisher.topics.of(message.subscription)
    except (SubscriptionError, InputError):
        notes.append("The topic it came from cannot be read: choose one.")
    if message.size_bytes > MAX_FORM_DATA_BYTES:
        notes.append("Its data is too large for this form: choose a file, or republish the message as it is.")
    else:
        typed.data, typed.encoding = _shown(services().all_messages.payload(message))
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
