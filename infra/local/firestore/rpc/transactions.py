"""Optimistic transactions, checked when they commit.

The service offers this mode as well; by default it locks the documents that are read. A commit is ABORTED when a
document or query result that the transaction read has changed, and the client retries it
(cloud.google.com/firestore/docs/transaction-data-contention). A retried transaction holds a lock, and a new one waits
for that lock, so that contending transactions run one after the other and all succeed.
"""

import asyncio
import os
import time
from collections.abc import Sized
from dataclasses import dataclass, field

from infra.local.firestore.errors import aborted, invalid_argument
from infra.local.firestore.protos import Pb
from infra.local.firestore.storage.clock import get_time
from infra.local.firestore.storage.read_views import Reads, ReadView, TrackedView
from infra.local.firestore.storage.store import StoredDatabase

# firebase.google.com/docs/firestore/quotas#writes_and_transactions: an idle transaction expires after 60 s.
_IDLE_SECONDS = 60.0
_TURN_SECONDS = 5.0


@dataclass
class Transaction:
    """One transaction; ``read_time`` (microseconds) is set when it is read-only."""

    database: StoredDatabase
    read_time: int | None
    id: bytes = field(default_factory=lambda: os.urandom(16))
    reads: Reads = field(default_factory=Reads)
    used_at: float = field(default_factory=time.monotonic)
    turn: asyncio.TimerHandle | None = None

    def view(self) -> ReadView:
        if self.read_time is not None:
            return ReadView(self.database, self.read_time)
        return TrackedView(self.database, self.reads)


class Transactions:
    """The open transactions of all databases."""

    def __init__(self) -> None:
        self._open: dict[bytes, Transaction] = {}
        self._turn = asyncio.Lock()

    async def begin(self, database: StoredDatabase, options: Pb) -> Transaction:
        """Begin a transaction as ``TransactionOptions`` say; waits while another one is being retried."""
        self._forget_idle()
        read_only = options.WhichOneof("mode") == "read_only"
        if read_only:
            return self._add(Transaction(database, _read_time(database, options.read_only)))
        contended = self._turn.locked() or bool(options.read_write.retry_transaction)
        has_turn = contended and await self._wait_for_turn()
        transaction = self._add(Transaction(database, None))
        if has_turn:
            transaction.turn = asyncio.get_running_loop().call_later(_TURN_SECONDS, self._end_turn, transaction)
        return transaction

    def _add(self, transaction: Transaction) -> Transaction:
        self._open[transaction.id] = transaction
        return transaction

    async def _wait_for_turn(self) -> bool:
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            # Continuing without the lock is safe; it only makes a conflict more likely.
            return False
        return True

    def _end_turn(self, transaction: Transaction) -> None:
        if transaction.turn is not None:
            transaction.turn.cancel()
            transaction.turn = None
            self._turn.release()

    def get(self, database: StoredDatabase, transaction_id: bytes) -> Transaction:
        """Return the open transaction with this id.

        Raises INVALID_ARGUMENT, as the service does, for one that ended.
        """
        transaction = self._open.get(transaction_id)
        if transaction is None or transaction.database is not database:
            raise invalid_argument("The referenced transaction has expired or is no longer valid.")
        transaction.used_at = time.monotonic()
        return transaction

    def roll_back(self, transaction_id: bytes) -> None:
        """Close the transaction if it is open; clients also roll back transactions that were aborted."""
        transaction = self._open.pop(transaction_id, None)
        if transaction is not None:
            self._end_turn(transaction)

    def check_commit(self, database: StoredDatabase, transaction_id: bytes, writes: Sized) -> None:
        """Close the transaction for a commit of ``writes``; raises ABORTED when its reads are out of date."""
        transaction = self.get(database, transaction_id)
        self.roll_back(transaction_id)
        if writes and transaction.read_time is not None:
            raise invalid_argument("A read-only transaction cannot write.")
        changed = transaction.reads.changed(database)
        if changed:
            raise aborted(f"The transaction lost a race: {changed}. Please retry.")

    def _forget_idle(self) -> None:
        oldest = time.monotonic() - _IDLE_SECONDS
        for transaction in [one for one in self._open.values() if one.used_at < oldest]:
            self.roll_back(transaction.id)


def _read_time(database: StoredDatabase, options: Pb) -> int:
    return get_time(options.read_time) if options.HasField("read_time") else database.clock.read()
