"""The envelope of a push: decodes the body of a request to one ``Pushed``.

Pure: no I/O, clock or environment. Any bytes give a message or an EnvelopeError.

Duplicate keys with different values and base64 that is not canonical are refused, because two parsers could read two
messages, or two payloads, out of the same bytes. This is a second line of defence: the token is verified first, so that
only Pub/Sub sends bodies, or an identity that may create ID tokens of the push service account. Pub/Sub itself sends
neither form.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pybase64

from functions.large_payload import parse_large_push
from infra.errors import EnvelopeError
from infra.messages.field_names import escape_name
from infra.messages.message import Pushed
from infra.strict_json import StrictJsonError, parse_object

_SUBSCRIPTION = re.compile(r"projects/[^/\s]{1,255}/subscriptions/[^/\s]{1,255}")
# RFC 3339, section 5.6. It also allows a space instead of the T, which Pub/Sub does not use.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
# Far above the limits of Pub/Sub (100 attributes, 128 KB), yet any characters fit into one document: Firestore refuses
# nothing that passes here.
MAX_ATTRIBUTES = 1000
MAX_ATTRIBUTE_BYTES = 200 * 1024
# Firestore takes 1,500 bytes for a field's whole path, ``attributes.`` included (cloud.google.com/firestore/quotas).
MAX_NAME_BYTES = 1500 - len("attributes.")
MAX_ID_BYTES = 1024
MAX_ORDERING_KEY_BYTES = 4096
_MAX_ATTEMPTS = 2**31 - 1
# If the push config has ``no_wrapper``, Pub/Sub sends the payload alone as the body, without its envelope.
_UNWRAPPED = "; the payload seems unwrapped: start delivery again, which sets the envelope back"


def parse_push(body: bytes | bytearray) -> Pushed:
    """Decode the body of one Pub/Sub push request.

    ``body`` is the wrapped JSON envelope (cloud.google.com/pubsub/docs/push#receive_push); unknown keys are ignored::

        {"subscription": "projects/p/subscriptions/s", "deliveryAttempt": 5,
         "message": {"messageId": "123", "publishTime": "2026-01-02T03:04:05.678Z",
                     "data": "aGk=", "attributes": {"kind": "build"}, "orderingKey": "k"}}

    ``data`` is strict base64 and may be absent (a message of attributes only), which gives ``b""``. It stays bytes:
    publishers need not send UTF-8. ``publish_time`` is aware UTC, cut to microseconds. Keys may be written in
    ``camelCase`` or ``snake_case``; if both are present, they must agree.

    Raises EnvelopeError (400) naming the first bad field, ``body`` for the whole.
    """
    envelope, payload = parse_large_push(body) or (_parse(body), None)
    message = envelope.get("message")
    if not isinstance(message, dict):
        hint = "" if "subscription" in envelope else _UNWRAPPED
        raise EnvelopeError("message", f"must be an object, found {_kind(message)}{hint}")
    return Pushed(
        subscription=_subscription(envelope),
        message_id=_message_id(message),
        publish_time=_publish_time(message),
        data=_data(message) if payload is None else payload,
        attributes=_attributes(message),
        ordering_key=_ordering_key(message),
        delivery_attempt=_delivery_attempt(envelope),
    )


def _parse(body: bytes | bytearray) -> dict[str, Any]:
    try:
        return parse_object(body)
    except StrictJsonError as exc:
        hint = "" if body.lstrip().startswith(b"{") else _UNWRAPPED
        raise EnvelopeError("body", f"{exc}{hint}") from exc


def _either(holder: Mapping[str, Any], where: str, camel: str, snake: str) -> Any:
    """Return the value under either spelling; None if both are absent."""
    if snake in holder:
        value = holder[snake]
        if camel in holder and (holder[camel] != value or type(holder[camel]) is not type(value)):
            raise EnvelopeError(f"{where}{camel}", f"differs from {snake}")
        return _present(value, where + snake)
    return _present(holder[camel], where + camel) if camel in holder else None


def _present(value: Any, field: str) -> Any:
    if value is None:
        raise EnvelopeError(field, "must not be null; leave it out")
    return value


def _text(value: Any, field: str, max_bytes: int) -> str:
    if not isinstance(value, str):
        raise EnvelopeError(field, f"must be a string, found {_kind(value)}")
    length = len(value) if value.isascii() else _length(value, field)
    if length > max_bytes:
        raise EnvelopeError(field, f"must be at most {max_bytes} bytes, found {length}")
    return value


def _length(value: str, field: str) -> int:
    """Return the number of bytes of ``value`` in UTF-8."""
    try:
        return len(value.encode())
    except UnicodeEncodeError as exc:  # JSON may escape half a surrogate pair
        raise EnvelopeError(field, "holds half a surrogate pair, which is no text") from exc


def _subscription(envelope: Mapping[str, Any]) -> str:
    value = _text(envelope.get("subscription"), "subscription", MAX_ID_BYTES)
    if not _SUBSCRIPTION.fullmatch(value):
        raise EnvelopeError("subscription", "must be projects/PROJECT/subscriptions/SUBSCRIPTION")
    return value


def _message_id(message: Mapping[str, Any]) -> str:
    value = _text(_either(message, "message.", "messageId", "message_id"), "message.messageId", MAX_ID_BYTES)
    if not value:
        raise EnvelopeError("message.messageId", "must not be empty")
    return value


def _publish_time(message: Mapping[str, Any]) -> datetime:
    field = "message.publishTime"
    value = _text(_either(message, "message.", "publishTime", "publish_time"), field, MAX_ID_BYTES).upper()
    if not _TIME.fullmatch(value):
        raise EnvelopeError(field, "must be an RFC 3339 time, like 2026-01-02T03:04:05.678Z")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise EnvelopeError(field, "is a time that does not exist") from exc


def _data(message: Mapping[str, Any]) -> bytes:
    if "data" not in message:
        return b""
    value = message["data"]
    if not isinstance(value, str):
        raise EnvelopeError("message.data", f"must be a base64 string, found {_kind(value)}")
    try:
        data = pybase64.b64decode(value, validate=True)
    except ValueError as exc:
        raise EnvelopeError("message.data", f"is not strict base64 ({exc})") from exc
    # Decoders ignore the bits after the last byte (RFC 4648, section 3.5), so that two texts would be one payload.
    if pybase64.b64encode_as_string(data) != value:
        raise EnvelopeError("message.data", "is not strict base64 (bits after the last byte)")
    return data


def _attributes(message: Mapping[str, Any]) -> dict[str, str]:
    value = message.get("attributes", {})
    if not isinstance(value, dict):
        raise EnvelopeError("message.attributes", f"must be an object, found {_kind(value)}")
    if len(value) > MAX_ATTRIBUTES:
        raise EnvelopeError("message.attributes", f"must be at most {MAX_ATTRIBUTES}, found {len(value)}")
    total = 0
    for name, held in value.items():
        # The length as stored: escaping may triple a name.
        total += len(_text(escape_name(name), "message.attributes", MAX_NAME_BYTES))
        total += len(_text(held, "message.attributes", MAX_ATTRIBUTE_BYTES))
    if total > MAX_ATTRIBUTE_BYTES:
        raise EnvelopeError("message.attributes", f"must be at most {MAX_ATTRIBUTE_BYTES} characters together")
    return value


def _ordering_key(message: Mapping[str, Any]) -> str:
    value = _either(message, "message.", "orderingKey", "ordering_key")
    return "" if value is None else _text(value, "message.orderingKey", MAX_ORDERING_KEY_BYTES)


def _delivery_attempt(envelope: Mapping[str, Any]) -> int | None:
    value = _either(envelope, "", "deliveryAttempt", "delivery_attempt")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_ATTEMPTS:
        raise EnvelopeError("deliveryAttempt", "must be a whole number of at least 1")
    return value


_KINDS = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "nothing")
