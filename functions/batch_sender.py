"""The calls of a group commit: what is tried again, and which outcome each entry of a shared call gets.

Knows nothing of HTTP, of Google's client, or of what may share a call: a ``Writer`` makes single attempts.
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
# Jittered, so that many instances do not come back at once; then Pub/Sub tries again, later than we could.
PAUSES_SECONDS = (0.1, 0.4)

W = TypeVar("W", bound=QueuedWrite)
# One call before a deadline: it resolves what is settled and returns what may succeed later, each with its doubt.
Attempt = Callable[[Sequence[W], float], Awaitable[Sequence[W]]]


class Writer(Protocol):
    """Firestore, as far as the receiver needs it. Each call is one attempt."""

    root: str

    async def batch_write(self, writes: Sequence[Any], timeout_seconds: float) -> list[StoreError | None]:
        """Each write's own outcome. Raises StoreError when the request as a whole failed."""

    async def commit(self, writes: Iterable[Any], timeout_seconds: float) -> None:
        """Write all or nothing. Raises StoreError; StoreUnavailableError leaves open which of the two."""

    async def stored(self, document_ids: Sequence[str], timeout_seconds: float) -> set[str]:
        """Which of these messages are stored already. Raises StoreError."""


class BatchSender:
    """Sends entries and resolves them, whatever happens."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def send(self, entries: Sequence[QueuedWrite]) -> None:
        """Write ``entries``, each for itself, and again those that may succeed later."""
        await _repeat(self._batch, entries)

    async def send_once(self, entries: Sequence[DeliveryCount]) -> None:
        """Write ``entries``, each for itself; they count, so a second time would count twice."""
        for entry in await self._batch(entries, _loop_time() + COUNT_SECONDS):
            entry.resolve(entry.doubt)

    async def send_together(self, entries: Sequence[MessageWithChunks]) -> None:
        """Write ``entries`` together, and again those that may succeed later."""
        await _repeat(self._commit, entries)

    async def look(self, entries: Sequence[QueueEntry]) -> None:
        """Resolve ``entries`` with DocumentExistsError where the message is stored, None where it is not."""
        try:
            found = await self._writer.stored([entry.key for entry in entries], ATTEMPT_SECONDS)
        except StoreError as exc:
            for entry in entries:
                entry.resolve(without_traceback(exc))
            return
        for entry in entries:
            entry.resolve(DocumentExistsError("stored already") if entry.key in found else None)

    async def _batch(self, entries: Sequence[W], deadline: float) -> Sequence[W]:
        """One BatchWrite: each write has an outcome of its own."""
        try:
            outcomes = await self._writer.batch_write([entry.write() for entry in entries], _seconds_until(deadline))
        except StoreInvalidError as exc:
            return await _halve(self._batch, entries, without_traceback(exc), deadline)
        except StoreError as exc:
            outcomes = [without_traceback(exc)] * len(entries)
        again = []
        for entry, outcome in zip(entries, outcomes, strict=True):
            if isinstance(outcome, StoreUnavailableError):
                entry.doubt = outcome
                again.append(entry)
            else:
                entry.resolve(outcome)
        return again

    async def _commit(self, entries: Sequence[MessageWithChunks], deadline: float) -> Sequence[MessageWithChunks]:
        """One Commit: everything is written, or nothing."""
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
        # Made one by one while the request is put together: a payload is held as often as it must be, not once more.
        writes = (write for entry in entries for write in entry.writes())
        try:
            await self._writer.commit(writes, _seconds_until(deadline))
        except StoreError as exc:
            return without_traceback(exc)
        return None

    async def _commit_others(
        self, entries: Sequence[MessageWithChunks], refusal: DocumentExistsError, deadline: float
    ) -> Sequence[MessageWithChunks]:
        """Something is stored already, so nothing was written: find out what it is, and write the others."""
        found: set[str] = set()
        if len(entries) > 1:
            # After a lost reply that is all of them: one question, where halves would send each payload six times.
            with contextlib.suppress(StoreError):
                found = await self._writer.stored([entry.key for entry in entries], _seconds_until(deadline))
        if not found:
            return await _halve(self._commit, entries, refusal, deadline)
        for entry in entries:
            if entry.key in found:
                entry.resolve(refusal)
        others = [entry for entry in entries if entry.key not in found]
        return await self._commit(others, deadline) if others else []


async def _repeat(attempt: Attempt[W], entries: Sequence[W]) -> None:
    """Try ``entries``, and again those that may succeed later; idempotent writes only."""
    deadline = _loop_time() + CALL_SECONDS
    for pause in (*PAUSES_SECONDS, None):
        entries = await attempt(entries, deadline)
        if not entries or pause is None or _loop_time() + pause > deadline:
            break
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # not a secret
    for entry in entries:
        entry.resolve(entry.doubt)


async def _halve(attempt: Attempt[W], entries: Sequence[W], refusal: StoreError, deadline: float) -> Sequence[W]:
    """Firestore refuses a whole request for one bad write: find it, and let the others through."""
    if len(entries) == 1:
        entries[0].resolve(refusal)
        return []
    middle = len(entries) // 2
    return [*await attempt(entries[:middle], deadline), *await attempt(entries[middle:], deadline)]


def _seconds_until(deadline: float) -> float:
    """The time for one attempt. Raises StoreUnavailableError when there is none left."""
    seconds = min(ATTEMPT_SECONDS, deadline - _loop_time())
    if seconds <= 0:
        raise StoreUnavailableError("Firestore did not answer within the time for one call.")
    return seconds


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
