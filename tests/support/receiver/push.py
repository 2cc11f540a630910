"""Push requests as Pub/Sub sends them: envelopes and the claims of their tokens."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from infra.local.token_signer import push_claims

PROJECT = "subscope-test"
SUBSCRIPTION = "builds"
FULL_SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION}"
AUDIENCE = "https://receiver.example/push"
ACCOUNT = "push@subscope-test.iam.gserviceaccount.com"


def envelope(
    message_id: str = "1",
    data: bytes = b"hello",
    attributes: Mapping[str, str] | None = None,
    **message: object,
) -> dict[str, Any]:
    """Return a push envelope as the service sends it, with both spellings of its keys."""
    published = "2026-01-02T03:04:05.678Z"
    return {
        "message": {
            "attributes": dict(attributes or {}),
            "data": base64.b64encode(data).decode(),
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": published,
            "publish_time": published,
            **message,
        },
        "subscription": FULL_SUBSCRIPTION,
    }


def push_body(message_id: str = "1", data: bytes = b"hello", attributes: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of ``envelope``."""
    return json.dumps(envelope(message_id, data, attributes)).encode()


def claims(**changed: object) -> dict[str, object]:
    """Return the claims of a valid token issued now, changed by ``changed``; the value ``...`` leaves a claim out."""
    full = {**push_claims(ACCOUNT, AUDIENCE, time.time()), **changed}
    return {name: value for name, value in full.items() if value is not ...}
