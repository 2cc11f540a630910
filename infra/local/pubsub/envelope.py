"""The body of a push request, as Pub/Sub writes it: sorted keys, both spellings of id and time, data in base64. Pure.

Empty data, attributes and ordering key are left out (cloud.google.com/pubsub/docs/push#receive_push).
"""

import binascii
import json
from typing import Any


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


def _json(value: str | dict[str, str]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
