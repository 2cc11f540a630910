"""The frames that one stream client received, connection by connection."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Frame(NamedTuple):
    """One ``message`` event.

    ``microseconds`` is the time in its cursor, ``position`` that of its id: the largest cursor that the feed had seen
    when the message arrived there, so a message that arrives late is older than its position.
    """

    at: float
    document: str
    deliveries: int
    microseconds: int
    position: int


@dataclass
class Connection:
    """One response of the stream. ``position`` is the Last-Event-ID that the client sent."""

    opened_at: float
    position: str = ""
    frames: list[Frame] = field(default_factory=list)
    resyncs: list[float] = field(default_factory=list)
    ended_at: float | None = None


@dataclass
class StreamLog:
    """All connections of one client. ``seen`` has the time at which each document arrived first."""

    name: str
    connections: list[Connection] = field(default_factory=list)
    seen: dict[str, float] = field(default_factory=dict)
    live_at: float | None = None
    refused: int = 0

    @property
    def resyncs(self) -> int:
        """How often the client had to load its page again."""
        return sum(len(connection.resyncs) for connection in self.connections)
