"""Listen to Firestore: keep one Listen stream open and pass on each new message and state once.

It reopens the stream with back-off, resumes 10 s before the cursor, moves the target, and finds out whether a silent
connection is dead. It neither knows the clients nor encodes frames.
"""

import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from infra.errors import DocumentNotFoundError, StoreError, StoreRefusedError
from infra.firestore.client import Database
from infra.firestore.encoding import decode_fields, decode_message
from infra.firestore.listen import DocumentChanged, Listener, TargetChanged, messages_since, whole_collection
from infra.firestore.message_reader import EVERYTHING, MessageReader
from infra.logs import Logger
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from web.live.listen_window import EPOCH, ListenWindow


@dataclass(frozen=True)
class FeedTiming:
    """The feed's intervals; tests shorten them."""

    linger_seconds: float = 60.0
    observe_seconds: float = 10.0
    silence_seconds: float = 90.0
    min_reopen_seconds: float = 1.0
    max_reopen_seconds: float = 8.0
    refused_reopen_seconds: float = 30.0


class ChangeHandler(Protocol):
    """Receives the changes, on the listening thread only. Its methods must not raise."""

    def on_begin(self, newest: Cursor, start: datetime) -> None:
        """Handle the start: messages follow from ``start`` on; ``newest`` is the newest stored one."""

    def on_message(self, message: Message) -> None:
        """Handle a message, or a new state of one."""

    def on_subscription(self, subscription: str, fields: dict[str, Any]) -> None:
        """Handle a change of a subscription's document."""

    def on_live(self) -> None:
        """Handle the end of the initial result: from now on changes come as they happen."""

    def on_lost(self, problem: str) -> None:
        """Handle the loss of the stream, for the reason in the sentence."""


class Backoff:
    """The waits before reopening: at least a second apart, longer after each failure, random for each process."""

    def __init__(self, timing: FeedTiming) -> None:
        self._timing = timing
        self._failures = 0

    def succeeded(self) -> None:
        """Start again with short waits."""
        self._failures = 0

    def seconds(self, *, since_opened: float, refused: bool) -> float:
        """Return the seconds to wait now, ``since_opened`` after the last opening."""
        shortest = self._timing.min_reopen_seconds
        longest = self._timing.refused_reopen_seconds if refused else self._timing.max_reopen_seconds
        wait = min(longest, shortest * 2.0 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
        self._failures += 1
        return max(wait if self._failures > 1 else random.uniform(0, shortest / 4), shortest - since_opened)  # noqa: S311


class FeedListener:
    """The listener of one watched period. One thread calls ``run``, another calls ``check`` about once a second."""

    def __init__(
        self, database: Database, messages: MessageReader, *, handler: ChangeHandler, log: Logger, timing: FeedTiming
    ) -> None:
        self._database, self._messages, self._handler, self._log = database, messages, handler, log
        self._timing = timing
        self._backoff = Backoff(timing)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._stream: Listener | None = None
        self._window: ListenWindow | None = None
        self._heard_at = time.monotonic()
        self._closed_because = ""
        self._last_target = 0
        # Target ids; 0 is none. A stream has one target of messages, and while it moves also the next one.
        self._subscriptions = self._current = self._next = 0
        self._next_start = EPOCH
        # Targets that have not sent their whole initial result yet.
        self._pending: set[int] = set()

    def run(self) -> None:
        """Listen until ``stop``."""
        while not self._stopped.is_set():
            opened_at = time.monotonic()
            problem, refused = self._try()
            if self._stopped.is_set():
                return
            self._handler.on_lost(problem)
            self._log.warning("The feed lost its stream and opens it again.", error=problem)
            since_opened = time.monotonic() - opened_at
            self._stopped.wait(self._backoff.seconds(since_opened=since_opened, refused=refused))

    def stop(self) -> None:
        """End ``run``, from any thread."""
        self._stopped.set()
        self._close_stream()

    def check(self) -> None:
        """Close the stream if it has been silent for long and a read on the same channel shows that it is dead."""
        if time.monotonic() - self._heard_at < self._timing.silence_seconds or self._stream is None:
            return
        self._heard_at = time.monotonic()
        try:
            problem = self._problem()
        except StoreError as exc:
            problem = str(exc)
            self._database.renew()  # a connection that a NAT or proxy has dropped never answers again
        if problem:
            self._closed_because = problem
            self._close_stream()

    def _problem(self) -> str:
        """Return why a silent stream is broken although Firestore answers; "" if nothing may have happened."""
        for _ in range(2):
            newest = self._messages.page(EVERYTHING, limit=1)
            window = self._window
            if self._pending or window is None:
                return "Firestore's stream never began."
            if not newest or newest[0].cursor <= window.cursor:
                return ""
            # The message may still be on its way, so look twice.
            self._stopped.wait(self._timing.min_reopen_seconds)
        return f"Firestore's stream is silent, but message {newest[0].id} has arrived."

    def _close_stream(self) -> None:
        with self._lock:
            if self._stream:
                self._stream.close()

    def _try(self) -> tuple[str, bool]:
        """Read one stream to its end. Return why it ended, and whether an early retry looks useless."""
        self._closed_because = ""
        try:
            self._listen()
        except StoreError as exc:
            return str(exc), isinstance(exc, StoreRefusedError | DocumentNotFoundError)
        except Exception as exc:  # noqa: BLE001 - the thread must survive an error that we did not foresee
            self._log.error("The feed failed.", error=repr(exc))
            return f"The feed failed: {exc!r}", False
        finally:
            self._stream = None
        return self._closed_because or "Firestore ended the stream.", False

    def _listen(self) -> None:
        window = self._window or self._begin()
        with Listener(self._database) as stream:
            with self._lock:
                self._stream = stream
            if self._stopped.is_set():
                return
            self._heard_at = time.monotonic()
            self._open(stream, window)
            for change in stream:
                if self._stopped.is_set():
                    return
                self._heard_at = time.monotonic()
                if isinstance(change, DocumentChanged):
                    self._pass_on(window, change)
                    self._move(stream, window)
                elif isinstance(change, TargetChanged) and change.event == "current":
                    self._note_current(stream, window, change.target_ids)

    def _begin(self) -> ListenWindow:
        """Start at the newest stored message: its time is Firestore's, so this machine's clock does not matter."""
        newest = self._messages.page(EVERYTHING, limit=1)
        cursor = newest[0].cursor if newest else Cursor(EPOCH, "0" * 32)
        self._window = ListenWindow(cursor)
        self._handler.on_begin(cursor, self._window.start)
        return self._window

    def _open(self, stream: Listener, window: ListenWindow) -> None:
        self._current, self._subscriptions = self._new_target(), self._new_target()
        self._next = 0
        self._pending = {self._current, self._subscriptions}
        stream.add(self._current, messages_since(self._messages, window.resume(), EVERYTHING))
        stream.add(self._subscriptions, whole_collection("subscriptions"))

    def _new_target(self) -> int:
        self._last_target += 1
        return self._last_target

    def _pass_on(self, window: ListenWindow, change: DocumentChanged) -> None:
        if self._subscriptions in change.target_ids:
            self._handler.on_subscription(change.id, decode_fields(change.document))
        elif self._current in change.target_ids or self._next in change.target_ids:
            # After a RESET or with a new target, most documents are known: look them up before decoding.
            deliveries = change.document.fields["deliveries"].integer_value
            if window.is_news(change.id, deliveries):
                message = decode_message(change.document)
                window.take(message.cursor, deliveries)
                self._handler.on_message(message)

    def _move(self, stream: Listener, window: ListenWindow) -> None:
        if self._next or self._pending:
            return
        start = window.next_start()
        if start:
            self._next = self._new_target()
            self._next_start = start
            stream.add(self._next, messages_since(self._messages, start, EVERYTHING))

    def _note_current(self, stream: Listener, window: ListenWindow, target_ids: tuple[int, ...]) -> None:
        """Note that targets have sent their initial result. Firestore may name none, which means all."""
        if self._next and (not target_ids or self._next in target_ids):
            # Not earlier: only from here on the new target misses nothing that the old one would have sent.
            stream.remove(self._current)
            self._current, self._next = self._next, 0
            window.move(self._next_start)
        if self._pending:
            self._pending = self._pending.difference(target_ids) if target_ids else set()
            if not self._pending:
                self._backoff.succeeded()
                self._handler.on_live()
