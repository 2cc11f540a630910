"""Messages that were read, with the time of the read by Firestore's clock: that of this machine may be wrong."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.messages.message import Message

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReadMessages:
    """The messages, and when Firestore read them (aware UTC): a message committed later is not among them."""

    messages: list[Message]
    read_at: datetime


@dataclass(frozen=True, slots=True)
class LazyPage:
    """A page of ``count`` messages, of which each is masked when it is taken: a mask may cost more than the read."""

    count: int
    messages: Iterator[Message]
    read_at: datetime


def earliest_read(replies: Iterable[Any]) -> datetime:
    """Return the earliest time of reading in raw replies; 1970 when none has a time."""
    times = [reply.read_time.ToDatetime(UTC) for reply in replies if reply.HasField("read_time")]
    return min(times, default=EPOCH)
