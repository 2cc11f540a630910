"""Messages as the receiver stores them, made of a payload, and the time at which they came."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from infra.messages import severity, trace
from infra.messages.chunks import INLINE_BYTES
from infra.messages.message import Message, index_tokens, read_content

NOW = datetime(2026, 11, 23, 10, 42, 7, tzinfo=UTC)


def message(data: bytes = b"", **fields: Any) -> Message:
    """Return the stored form of ``data``, with other values of some fields."""
    content = read_content(data)
    attributes = fields.get("attributes", {})
    level, traced = severity.severity_in(attributes, content.scalars, data), trace.trace_in(attributes)
    made = Message(
        id="ab" * 16,
        subscription="builds",
        message_id="770001",
        publish_time=NOW,
        received_at=NOW,
        attributes=attributes,
        kind=content.kind,
        preview=content.preview,
        data=data if len(data) <= INLINE_BYTES else None,
        chunks=0 if len(data) <= INLINE_BYTES else 1,
        size_bytes=len(data),
        sha256="",
        deliveries=1,
        last_delivered_at=NOW,
        expire_at=NOW,
        tokens=tuple(index_tokens(attributes, content.scalars, (*severity.token_of(level), *trace.token_of(traced)))),
        severity=level,
    )
    return replace(made, **fields)


def message_with(data: bytes, *, inline: bool = True, key: str = "", **attributes: str) -> Message:
    """Return the stored form of ``data`` with attributes; without ``inline``, its payload is in chunks."""
    stored = message(data, attributes=attributes, ordering_key=key, sha256="f" * 64)
    return replace(stored, data=data if inline else None, chunks=0 if inline else 1)
