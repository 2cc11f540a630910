"""A message as the receiver stores it, made of a payload."""

from datetime import UTC, datetime

from infra.messages.message import Message, index_tokens, read_content

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def message(data: bytes, *, inline: bool = True, key: str = "", **attributes: str) -> Message:
    """Return the stored form of ``data``; without ``inline``, its payload is in chunks."""
    content = read_content(data)
    return Message(
        id="0" * 32,
        subscription="builds",
        message_id="1",
        publish_time=NOW,
        received_at=NOW,
        attributes=attributes,
        kind=content.kind,
        preview=content.preview,
        data=data if inline else None,
        chunks=0 if inline else 1,
        size_bytes=len(data),
        sha256="f" * 64,
        deliveries=1,
        last_delivered_at=NOW,
        expire_at=NOW,
        ordering_key=key,
        tokens=tuple(index_tokens(attributes, content.scalars)),
    )
