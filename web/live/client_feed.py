"""The frames that one client still has to get: first the messages that it missed, then each new one, at its own pace.

A client gets every message from 10 s before its position on, or a ``resync``; never a silent gap. One thread uses a
ClientFeed; only ``close`` may be called from any.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from types import TracebackType
from typing import Literal, Self

from infra.errors import BusyError, StoreError, StoreUnavailableError
from infra.logs import Logger
from infra.messages.cursor import Cursor
from web.access.cpu_share import CpuShare, FreeTurns, Pace, Turns
from web.live.catch_up import CatchUp
from web.live.frame_cache import ClientFrames
from web.live.recent_messages import RecentMessages
from web.live.sse import KEEP_ALIVE, Position, body, head, retry

PACE_SECONDS = 0.1  # at most ten writes a second
MAX_WRITE_BYTES = 256 * 1024
RETRY_MILLISECONDS = 1_000
REPLAY_AGAIN_SECONDS = 2.0
REMEMBER_SECONDS = 60.0
RESYNC = body("resync", {})
_READ_MESSAGES = 200
_TURN_WAIT_SECONDS = 0.5
_NEVER = 2**63

State = Literal["waiting", "replaying", "live"]


class ClientFeed:
    """The frames of one client. Iterate over it, or call ``poll`` to do something else between frames.

    ``waiting``: the replay cannot begin yet. New messages stay in recent_messages; states of the feed are sent.
    ``replaying``: frames come from the replay. ``live``: frames come from recent_messages.
    """

    def __init__(
        self,
        *,
        recent: RecentMessages,
        catch_up: CatchUp,
        frames: ClientFrames,
        position: Position,
        person: str,
        share: CpuShare,
        log: Logger,
        on_close: Callable[["ClientFeed"], None],
    ) -> None:
        self._recent, self._catch_up, self._frames, self._log = recent, catch_up, frames, log
        self._position = position
        self._person, self._share = person, share
        self._turns = Turns(share) if frames.client_filter.is_costly else FreeTurns()
        self._on_close = on_close
        self._state: State = "waiting"
        self._closed = False
        # Taken before the replay reads anything: every later message has this number or a larger one.
        self._number = recent.next_number
        # The largest cursor among the messages read so far, accepted by the filter or not.
        self._read_to: Cursor | None = None
        self._version = 0
        self._state_frames: deque[bytes] = deque([retry(RETRY_MILLISECONDS)])
        self._queue: deque[bytes] = deque()
        self._replay: Iterator[bytes] = iter(())
        # Whether the last turn ended before all frames were made.
        self._has_more = False
        # Deliveries by message id that the replay sent and that recent_messages may bring again.
        self._replayed: dict[str, int] = {}
        self._forget_at = 0.0
        self._replay_at = 0.0
        self._write_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        while not self.ended:
            if chunk := self.poll(60):
                yield chunk

    @property
    def ended(self) -> bool:
        """Whether it was closed, or the process is shutting down."""
        return self._closed or self._recent.closed

    def close(self) -> None:
        """End it, from any thread; closing again does nothing."""
        if not self._closed:
            self._closed = True
            self._recent.wake()
            self._on_close(self)

    def keep_alive(self) -> bytes:
        """Return a keep-alive for when ``poll`` returned nothing.

        It carries the position, so that a client moves forward even if its filter rejected everything.
        """
        return (head(str(self._read_to)) if self._read_to else b"") + KEEP_ALIVE

    def poll(self, seconds: float) -> bytes:
        """Wait at most ``seconds`` for frames and return them joined; b"" if none came or the feed ended."""
        deadline = time.monotonic() + seconds
        while not self.ended:
            self._keep_pace(deadline)
            chunk = self._next_write()
            left = deadline - time.monotonic()
            if chunk or left <= 0:
                return chunk
            self._recent.wait(self._has_news, min(left, REPLAY_AGAIN_SECONDS) if self._state == "waiting" else left)
        return b""

    def _keep_pace(self, deadline: float) -> None:
        now = time.monotonic()
        if now < self._write_at:
            time.sleep(max(0.0, min(self._write_at, deadline) - now))

    def _has_news(self) -> bool:
        number = _NEVER if self._state == "waiting" else self._number
        return self._closed or self._has_more or self._recent.is_news(number, self._version)

    def _next_write(self) -> bytes:
        if time.monotonic() < self._write_at:
            return b""
        self._write_at = time.monotonic() + PACE_SECONDS
        changed, self._version = self._recent.states(self._version)
        self._state_frames.extend(changed)
        if self._state == "waiting":
            self._try_replay()
        if self._state != "waiting":
            self._fill_queue()
        return b"".join(self._dequeue())

    def _dequeue(self) -> Iterator[bytes]:
        while self._state_frames:
            yield self._state_frames.popleft()
        size = 0
        while self._queue and size < MAX_WRITE_BYTES:
            frame = self._queue.popleft()
            size += len(frame)
            yield frame

    def _fill_queue(self) -> None:
        """Encode no more than one write ahead: hundreds of slow clients must not hold encoded frames in memory."""
        if self._replayed and time.monotonic() > self._forget_at:
            self._replayed.clear()
        size = sum(map(len, self._queue))
        frames = self._live_frames()
        if self._state == "replaying":
            frames = chain(self._replay_frames(), frames)
        self._has_more = True
        with self._turns.turn(_TURN_WAIT_SECONDS) as lasts:
            while size < MAX_WRITE_BYTES and lasts():
                frame = next(frames, None)
                if frame is None:
                    self._has_more = False
                    return
                if frame:
                    self._queue.append(frame)
                    size += len(frame)

    def _replay_frames(self) -> Iterator[bytes]:
        # Not "yield from", which would close it together with this generator.
        while (frame := next(self._replay, None)) is not None:
            yield frame
        self._state = "live"

    def _live_frames(self) -> Iterator[bytes]:
        """Yield a frame for each new message, empty for one that does not concern the client."""
        while True:
            read = self._recent.read(self._number, _READ_MESSAGES)
            if read.has_gap:
                self._start_over()
                return
            if not read.messages:
                return
            for recent in read.messages:
                self._number += 1
                self._read_to = recent.position
                is_known = self._replayed and self._replayed.get(recent.message.id, 0) >= recent.message.deliveries
                yield b"" if is_known else self._frames.of_recent(recent)

    def _start_over(self) -> None:
        """Tell the client to load its page again, and continue with the next message."""
        self._state = "live"
        self._number = self._recent.next_number
        self._replay = iter(())
        self._replayed.clear()
        self._queue.clear()
        self._queue.append(RESYNC)

    def _try_replay(self) -> None:
        """Begin the replay, start over, or keep waiting."""
        if not self._position.known:
            self._start_over()
        elif self._recent.has_begun and time.monotonic() >= self._replay_at:
            pace = Pace(self._share, lambda: self.ended)
            try:
                replay = self._catch_up.replay(self._position.cursor, self._number, self._frames, self._person, pace)
            except BusyError:
                return  # the next poll tries again
            except StoreUnavailableError as exc:
                self._replay_at = time.monotonic() + REPLAY_AGAIN_SECONDS
                self._log.warning("A replay waits for Firestore.", error=str(exc))
                return
            except StoreError as exc:
                self._log.error("Firestore refused a replay.", error=str(exc))
                replay = None
            finally:
                pace.account()
            if replay is None:
                self._start_over()
            else:
                self._state, self._replay, self._replayed = "replaying", replay.frames, replay.deliveries
                self._forget_at = time.monotonic() + REMEMBER_SECONDS
