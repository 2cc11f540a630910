"""A stored message as one JSON object: the same for the API, the export and ``subscope tail --json``. Pure."""

import base64
from datetime import datetime

from infra.messages.message import Message
from infra.messages.severity import severity_of


def summary(message: Message) -> dict[str, object]:
    """Return a message with its preview instead of its payload."""
    return {**_fields(message), "preview": message.preview, "cursor": str(message.cursor)}


def record(message: Message, payload: bytes | None) -> dict[str, object]:
    """Return a message with its whole payload: ``data`` if it is UTF-8, otherwise ``data_base64``; the other is null.

    Both are null if ``payload`` is None, for a payload that has expired.
    """
    text = None if payload is None else _text(payload)
    encoded = None if text is not None or payload is None else base64.b64encode(payload).decode()
    return {**_fields(message), "data": text, "data_base64": encoded}


def _fields(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "subscription": message.subscription,
        "message_id": message.message_id,
        "publish_time": _time(message.publish_time),
        "received_at": _time(message.received_at),
        "ordering_key": message.ordering_key,
        "attributes": dict(message.attributes),
        "kind": message.kind,
        "severity": severity_of(message) or None,
        "size_bytes": message.size_bytes,
        "sha256": message.sha256,
        "deliveries": message.deliveries,
        "delivery_attempt": message.delivery_attempt,
        "expire_at": _time(message.expire_at),
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def _text(payload: bytes) -> str | None:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None
