"""Follow Firestore: keep one Listen stream open, whatever happens to it, and pass on what is new.

Supervision lives here: reopening with backoff, resuming 10 s before the cursor, moving the target, telling silence from
death. It decides nothing about who watches and encodes nothing.
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
    """The feed's clockwork; tests make it faster."""

    linger_seconds: float = 60.0
    observe_seconds: float = 10.0
    silence_seconds: float = 90.0
    min_reopen_seconds: float = 1.0
    max_reopen_seconds: float = 8.0
    refused_reopen_seconds: float = 30.0


class ChangeHandler(Protocol):
    """Who is told: called by the following thread only, and never expected to raise."""

    def begin(self, newest: Cursor, start: datetime) -> None:
        """Messages follow from ``start`` on; ``newest`` is stored already."""

    def message(self, message: Message) -> None:
        """A message came, or a new state of one."""

    def subscription(self, subscription: str, fields: dict[str, Any]) -> None:
        """A subscription's document changed."""

    def live(self) -> None:
        """All that was there has come: from now on changes come as they happen."""

    def reconnecting(self, problem: str) -> None:
        """The stream was lost, for the reason in the sentence."""


class Backoff:
    """When to reopen: at most once a second, slower while failures go on, never in step with other processes."""

    def __init__(self, timing: FeedTiming) -> None:
        self._timing = timing
        self._failures = 0

    def succeeded(self) -> None:
        """Begin with short waits again."""
        self._failures = 0

    def seconds(self, *, since_opened: float, refused: bool) -> float:
        """How long to wait now, ``since_opened`` after the last opening."""
        least = self._timing.min_reopen_seconds
        most = self._timing.refused_reopen_seconds if refused else self._timing.max_reopen_seconds
        wanted = min(most, least * 2.0 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
        self._failures += 1
        return max(wanted if self._failures > 1 else random.uniform(0, least / 4), least - since_opened)  # noqa: S311


class FeedListener:
    """One watched period. ``run`` is a thread's body; ``check`` is called by another about once a second."""

    def __init__(
        self, database: Database, messages: MessageReader, audience: ChangeHandler, log: Logger, timing: FeedTiming
    ) -> None:
        self._database, self._messages, self._audience, self._log = database, messages, audience, log
        self._timing = timing
        self._backoff = Backoff(timing)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._listener: Listener | None = None
        self._window: ListenWindow | None = None
        self._heard_at = time.monotonic()
        self._given_up = ""
        self._last_target = 0
        # Target ids; 0 is none. A stream has one target of messages, and while it moves the coming one beside it.
        self._subscriptions = self._current = self._coming = 0
        self._coming_start = EPOCH
        self._pending: set[int] = set()

    def run(self) -> None:
        """Follow until ``stop``."""
        while not self._stopped.is_set():
            opened_at = time.monotonic()
            problem, refused = self._try()
            if self._stopped.is_set():
                return
            self._audience.reconnecting(problem)
            self._log.warning("The feed lost its stream and opens it again.", error=problem)
            since_opened = time.monotonic() - opened_at
            self._stopped.wait(self._backoff.seconds(since_opened=since_opened, refused=refused))

    def stop(self) -> None:
        """End ``run``, from any thread."""
        self._stopped.set()
        self._hang_up()

    def check(self) -> None:
        """After a long silence, ask through the same channel whether anybody is there."""
        if time.monotonic() - self._heard_at < self._timing.silence_seconds or self._listener is None:
            return
        self._heard_at = time.monotonic()
        try:
            complaint = self._complaint()
        except StoreError as exc:
            complaint = str(exc)
            self._database.renew()  # a connection that something in between forgot never answers again
        if complaint:
            self._given_up = complaint
            self._hang_up()

    def _complaint(self) -> str:
        """Why a silent stream is broken though Firestore can be read; empty when it may just be quiet."""
        for _ in range(2):
            newest = self._messages.page(EVERYTHING, limit=1)
            window = self._window
            if self._pending or window is None:
                return "Firestore's stream never began."
            if not newest or newest[0].cursor <= window.cursor:
                return ""
            # It may be on its way: looked at twice.
            self._stopped.wait(self._timing.min_reopen_seconds)
        return f"Firestore's stream is silent, but message {newest[0].id} has arrived."

    def _hang_up(self) -> None:
        with self._lock:
            if self._listener:
                self._listener.close()

    def _try(self) -> tuple[str, bool]:
        """Follow one stream to its end: why it ended, and whether trying again soon looks useless."""
        self._given_up = ""
        try:
            self._follow()
        except StoreError as exc:
            return str(exc), isinstance(exc, StoreRefusedError | DocumentNotFoundError)
        except Exception as exc:  # noqa: BLE001 - the thread must survive what we did not foresee
            self._log.error("The feed failed.", error=repr(exc))
            return f"The feed failed: {exc!r}", False
        finally:
            self._listener = None
        return self._given_up or "Firestore ended the stream.", False

    def _follow(self) -> None:
        window = self._window or self._begin()
        with Listener(self._database) as listener:
            with self._lock:
                self._listener = listener
            if self._stopped.is_set():
                return
            self._heard_at = time.monotonic()
            self._open(listener, window)
            for change in listener:
                if self._stopped.is_set():
                    return
                self._heard_at = time.monotonic()
                if isinstance(change, DocumentChanged):
                    self._changed(window, change)
                    self._move(listener, window)
                elif isinstance(change, TargetChanged) and change.event == "current":
                    self._arrived(listener, window, change.target_ids)

    def _begin(self) -> ListenWindow:
        """Start at the newest stored message: its time is Firestore's, whatever this machine's clock says."""
        newest = self._messages.page(EVERYTHING, limit=1)
        cursor = newest[0].cursor if newest else Cursor(EPOCH, "0" * 32)
        self._window = ListenWindow(cursor)
        self._audience.begin(cursor, self._window.start)
        return self._window

    def _open(self, listener: Listener, window: ListenWindow) -> None:
        self._current, subscriptions = self._next_target(), self._next_target()
        self._subscriptions, self._coming = subscriptions, 0
        self._pending = {self._current, subscriptions}
        listener.add(self._current, messages_since(self._messages, window.resume(), EVERYTHING))
        listener.add(subscriptions, whole_collection("subscriptions"))

    def _next_target(self) -> int:
        self._last_target += 1
        return self._last_target

    def _changed(self, window: ListenWindow, change: DocumentChanged) -> None:
        if self._subscriptions in change.target_ids:
            self._audience.subscription(change.id, decode_fields(change.document))
        elif self._current in change.target_ids or self._coming in change.target_ids:
            # Most of what a RESET or a new target sends is known: looked up before it is decoded.
            deliveries = change.document.fields["deliveries"].integer_value
            if window.is_news(change.id, deliveries):
                message = decode_message(change.document)
                window.take(message.cursor, deliveries)
                self._audience.message(message)

    def _move(self, listener: Listener, window: ListenWindow) -> None:
        if self._coming or self._pending:
            return
        start = window.next_start()
        if start:
            self._coming = self._next_target()
            self._coming_start = start
            listener.add(self._coming, messages_since(self._messages, start, EVERYTHING))

    def _arrived(self, listener: Listener, window: ListenWindow, target_ids: tuple[int, ...]) -> None:
        """Targets have sent all they held. The service may name none, which means all."""
        if self._coming and (not target_ids or self._coming in target_ids):
            # Only now: from here on the new target misses nothing that the old one would have brought.
            listener.remove(self._current)
            self._current, self._coming = self._coming, 0
            window.move(self._coming_start)
        if self._pending:
            self._pending = self._pending.difference(target_ids) if target_ids else set()
            if not self._pending:
                self._backoff.succeeded()
                self._audience.live()
