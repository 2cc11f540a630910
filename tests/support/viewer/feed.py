"""A feed over a real Firestore, and clients that parse what it sends."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from infra.firestore.client import Database
from infra.firestore.message_reader import MessageReader
from infra.logs import Logger
from infra.messages.message import Message
from tests.support.firestore.settings import settings_for
from tests.support.waiting import wait_until
from web.live.client_feed import ClientFeed
from web.live.client_filter import ClientFilter
from web.live.feed import EVERY_MESSAGE, Feed
from web.live.listener import FeedTiming
from web.live.sse import Position

QUICK = FeedTiming(
    linger_seconds=60,
    observe_seconds=0.2,
    silence_seconds=60,
    min_reopen_seconds=0.1,
    max_reopen_seconds=0.4,
    refused_reopen_seconds=0.8,
)


@dataclass(frozen=True)
class Frame:
    """One parsed frame; ``at`` is this process's monotonic clock."""

    event: str
    data: dict[str, Any]
    id: str
    at: float


@dataclass
class Frames:
    """Parses the bytes of a stream as the standard for server-sent events says."""

    frames: list[Frame] = field(default_factory=list)
    pulses: int = 0
    chunks: list[float] = field(default_factory=list)
    _rest: bytes = b""

    def feed(self, chunk: bytes) -> None:
        self.chunks.append(time.monotonic())
        *whole, self._rest = (self._rest + chunk).split(b"\n\n")
        for block in whole:
            self._block(block.decode())

    def of(self, event: str) -> list[Frame]:
        return [frame for frame in list(self.frames) if frame.event == event]

    def ids(self) -> list[str]:
        """Return the ids of all messages; a message that was sent again is repeated."""
        return [frame.data["id"] for frame in self.of("message")]

    def _block(self, block: str) -> None:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if fields.get("event") == "pulse":
            self.pulses += 1
        elif "event" in fields:
            data = json.loads(fields["data"])
            self.frames.append(Frame(fields["event"], data, fields.get("id", ""), time.monotonic()))


class Client(Frames):
    """Reads a ClientFeed in a thread until it ends."""

    def __init__(self, client_feed: ClientFeed) -> None:
        super().__init__()
        self._client_feed = client_feed
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._client_feed.close()
        self._thread.join(5)
        assert not self._thread.is_alive(), "the client did not end within 5 s"

    def _read(self) -> None:
        for chunk in self._client_feed:
            self.feed(chunk)


class Viewing:
    """A feed over one Firestore, its clients and its log."""

    def __init__(self, address: str, timing: FeedTiming = QUICK, **options: Any) -> None:
        self.settings = settings_for(address)
        self.database = Database(self.settings)
        self.messages = MessageReader(self.database, self.settings.message_shards)
        self.logged = StringIO()
        self.observed = 0
        self.observe: Callable[[], object] = self._observe
        self.render: Callable[[Message], str] = lambda message: f"<tr>{message.preview}</tr>"
        self.feed = Feed(
            database=self.database,
            messages=self.messages,
            subscriptions=self.settings.subscriptions,
            log=Logger("DEBUG", stream=self.logged),
            render=lambda message: self.render(message),
            observe_deliveries=lambda: self.observe(),
            timing=timing,
            **options,
        )

    def client(self, position: Position | None = None, client_filter: ClientFilter = EVERY_MESSAGE) -> Client:
        """Open a client at a position: before the first message unless given."""
        return Client(self.feed.watch(position or Position(None), client_filter))

    def live_client(self, position: Position | None = None, client_filter: ClientFilter = EVERY_MESSAGE) -> Client:
        """Open a client and wait until it knows that the feed is live."""
        client = self.client(position, client_filter)
        wait_until(lambda: self.feed.state.status == "live", "the feed's state live")
        wait_until(lambda: any(frame.data["status"] == "live" for frame in client.of("feed")), "the client's event")
        return client

    def close(self) -> None:
        self.feed.close()
        close: Any = self.database.api.transport.close  # the attribute has no types
        close()

    def _observe(self) -> None:
        self.observed += 1


@contextmanager
def viewing(address: str, timing: FeedTiming = QUICK, **options: Any) -> Iterator[Viewing]:
    """Open a feed and close it; every thread of it must have ended. ``options`` are passed to ``Feed``."""
    view = Viewing(address, timing, **options)
    try:
        yield view
    finally:
        view.close()
        wait_until(lambda: not feed_threads(), "the end of the feed's threads", 5)


def feed_threads() -> list[str]:
    """Return the names of all feeds' threads."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("feed-")]
