"""The calls of the group commit: their retries, and the outcome of each entry in a shared call.

Knows nothing of HTTP, of Google's client, or of the rules for sharing a call. A ``Writer`` makes single attempts.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from functions.batch_queue import QueueEntry, without_traceback
from functions.pending_writes import DeliveryCount, MessageWithChunks, QueuedWrite
from infra.errors import DocumentExistsError, StoreError, StoreInvalidError, StoreUnavailableError

ATTEMPT_SECONDS = 5.0
CALL_SECONDS = 7.0
COUNT_SECONDS = 2.0
# Jittered, so that many instances do not retry at once. After that Pub/Sub retries, with longer pauses.
PAUSES_SECONDS = (0.1, 0.4)

W = TypeVar("W", bound=QueuedWrite)
# One attempt before a deadline. Resolves the entries with a final outcome; returns those worth retrying, with the
# last error in ``doubt``.
Attempt = Callable[[Sequence[W], float], Awaitable[Sequence[W]]]


class Writer(Protocol):
    """The part of Firestore that the receiver needs. Each call is one attempt."""

    root: str

    async def batch_write(self, writes: Sequence[Any], timeout_seconds: float) -> list[StoreError | None]:
        """Return the outcome of each write. Raises StoreError if the request as a whole failed."""

    async def commit(self, writes: Iterable[Any], timeout_seconds: float) -> None:
        """Write all or nothing. Raises StoreError; after StoreUnavailableError it may be either."""

    async def stored(self, document_ids: Sequence[str], timeout_seconds: float) -> set[str]:
        """Return the ids of those messages that are stored already. Raises StoreError."""


class BatchSender:
    """Sends entries and resolves each of them, also after an error."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def send(self, entries: Sequence[QueuedWrite]) -> None:
        """Write each entry independently; retry those that may succeed later."""
        await _repeat(self._batch, entries)

    async def send_once(self, entries: Sequence[DeliveryCount]) -> None:
        """Write each entry once. No retry: these are increments, and a retry could count a delivery twice."""
        for entry in await self._batch(entries, _loop_time() + COUNT_SECONDS):
            entry.resolve(entry.doubt)

    async def send_together(self, entries: Sequence[MessageWithChunks]) -> None:
        """Write all entries in one Commit; retry those that may succeed later."""
        await _repeat(self._commit, entries)

    async def look_up(self, entries: Sequence[QueueEntry]) -> None:
        """Resolve each entry with DocumentExistsError if its message is stored, with None if not."""
        try:
            stored = await self._writer.stored([entry.key for entry in entries], ATTEMPT_SECONDS)
        except StoreError as exc:
            for entry in entries:
                entry.resolve(without_traceback(exc))
            return
        for entry in entries:
            entry.resolve(DocumentExistsError("stored already") if entry.key in stored else None)

    async def _batch(self, entries: Sequence[W], deadline: float) -> Sequence[W]:
        """Make one BatchWrite, in which each write has its outcome."""
        try:
            outcomes = await self._writer.batch_write([entry.write() for entry in entries], _seconds_until(deadline))
        except StoreInvalidError as exc:
            return await _halve(self._batch, entries, without_traceback(exc), deadline)
        except StoreError as exc:
            outcomes = [without_traceback(exc)] * len(entries)
        retryable = []
        for entry, outcome in zip(entries, outcomes, strict=True):
            if isinstance(outcome, StoreUnavailableError):
                entry.doubt = outcome
                retryable.append(entry)
            else:
                entry.resolve(outcome)
        return retryable

    async def _commit(self, entries: Sequence[MessageWithChunks], deadline: float) -> Sequence[MessageWithChunks]:
        """Make one Commit: everything is written, or nothing."""
        outcome = await self._commit_once(entries, deadline)
        match outcome:
            case StoreUnavailableError():
                for entry in entries:
                    entry.doubt = outcome
                return entries
            case DocumentExistsError():
                return await self._commit_others(entries, outcome, deadline)
            case StoreInvalidError():
                return await _halve(self._commit, entries, outcome, deadline)
        for entry in entries:
            entry.resolve(outcome)
        return []

    async def _commit_once(self, entries: Sequence[MessageWithChunks], deadline: float) -> StoreError | None:
        # Generate the writes lazily, so that we never hold an extra copy of a payload.
        writes = (write for entry in entries for write in entry.writes())
        try:
            await self._writer.commit(writes, _seconds_until(deadline))
        except StoreError as exc:
            return without_traceback(exc)
        return None

    async def _commit_others(
        self, entries: Sequence[MessageWithChunks], refusal: DocumentExistsError, deadline: float
    ) -> Sequence[MessageWithChunks]:
        """Write the entries that are not stored yet; a stored one made the whole Commit fail."""
        stored: set[str] = set()
        if len(entries) > 1:
            # After a lost reply, all are stored: one lookup tells, while halving would send each payload six times.
            with contextlib.suppress(StoreError):
                stored = await self._writer.stored([entry.key for entry in entries], _seconds_until(deadline))
        if not stored:
            return await _halve(self._commit, entries, refusal, deadline)
        for entry in entries:
            if entry.key in stored:
                entry.resolve(refusal)
        others = [entry for entry in entries if entry.key not in stored]
        return await self._commit(others, deadline) if others else []


async def _repeat(attempt: Attempt[W], entries: Sequence[W]) -> None:
    """Attempt ``entries`` and retry those that may succeed later; for idempotent writes only."""
    deadline = _loop_time() + CALL_SECONDS
    for pause in (*PAUSES_SECONDS, None):
        entries = await attempt(entries, deadline)
        if not entries or pause is None or _loop_time() + pause > deadline:
            break
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # not a secret
    for entry in entries:
        entry.resolve(entry.doubt)


async def _halve(attempt: Attempt[W], entries: Sequence[W], refusal: StoreError, deadline: float) -> Sequence[W]:
    """Attempt each half separately: Firestore refuses a whole request for one bad write, and the others must pass."""
    if len(entries) == 1:
        entries[0].resolve(refusal)
        return []
    middle = len(entries) // 2
    return [*await attempt(entries[:middle], deadline), *await attempt(entries[middle:], deadline)]


def _seconds_until(deadline: float) -> float:
    """Return the seconds for one attempt. Raises StoreUnavailableError if the deadline has passed."""
    seconds = min(ATTEMPT_SECONDS, deadline - _loop_time())
    if seconds <= 0:
        raise StoreUnavailableError("Firestore did not answer within the time for one call.")
    return seconds


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
