"""A push request as Pub/Sub writes it: the body, or the headers of a push without an envelope. Pure.

The body has sorted keys, both spellings of id and time, and the data in base64. Empty data, attributes and ordering key
are left out (cloud.google.com/pubsub/docs/push#receive_push).
"""

import binascii
import json
import re
from typing import Any

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[\t\x20-\x7e]*")


def push_body(message: Any, subscription: str, delivery_attempt: int | None) -> bytes:
    """Encode a PubsubMessage. ``subscription`` is a full name; without a policy ``delivery_attempt`` is None."""
    # Joined by hand: json.dumps of a dictionary would copy a payload of 10 MB three times.
    parts: list[bytes] = []
    if delivery_attempt is not None:
        parts.append(b'"deliveryAttempt":%d,' % delivery_attempt)
    parts.append(b'"message":{')
    if message.attributes:
        parts += (b'"attributes":', _json(dict(sorted(message.attributes.items()))), b",")
    if message.data:
        parts += (b'"data":"', binascii.b2a_base64(message.data, newline=False), b'",')
    message_id = _json(message.message_id)
    publish_time = _json(message.publish_time.ToJsonString())
    parts += (b'"messageId":', message_id, b',"message_id":', message_id)
    if message.ordering_key:
        parts += (b',"orderingKey":', _json(message.ordering_key))
    parts += (b',"publishTime":', publish_time, b',"publish_time":', publish_time, b"}")
    return b"{%b,%b}" % (b"".join(parts), b'"subscription":' + _json(subscription))


def push_headers(message: Any, subscription: str, delivery_attempt: int | None) -> dict[str, str]:
    """Return the metadata of a push without an envelope, as headers.

    Source: cloud.google.com/pubsub/docs/payload-unwrapping#write_metadata. Attributes that are no header are left out.
    """
    headers = {name: value for name, value in message.attributes.items() if _HEADER.fullmatch(f"{name}:{value}")}
    headers["x-goog-pubsub-subscription-name"] = subscription
    headers["x-goog-pubsub-message-id"] = message.message_id
    headers["x-goog-pubsub-publish-time"] = message.publish_time.ToJsonString()
    if message.ordering_key and _HEADER.fullmatch(f"key:{message.ordering_key}"):
        headers["x-goog-pubsub-ordering-key"] = message.ordering_key
    if delivery_attempt is not None:
        headers["x-goog-pubsub-delivery-attempt"] = str(delivery_attempt)
    return headers


def _json(value: str | dict[str, str]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
