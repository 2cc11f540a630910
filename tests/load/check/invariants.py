"""The invariants I1 to I4: sentences about what is wrong, none if all is well. Pure.

I1: an acknowledged message is stored, at all times. I2: each published message is stored, or still in the backlog, or
dead-lettered; with one document, byte for byte. I3: no client misses a message or gets one twice, except
before a resync. I4: after the last fault the backlog empties and health is green within 120 s.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from tests.load.check.ledger import Document, Ledger
from tests.load.check.stream_log import Connection, StreamLog

RECOVERY_SECONDS = 120.0
# A client that reconnects gets what it missed from ten seconds before its position: its page drops what it has.
OVERLAP_MICROSECONDS = 10_000_000

PayloadOf = Callable[[str], bytes]


def check_acknowledged(ledger: Ledger) -> Iterator[str]:
    """Check I1."""
    for message in ledger.acknowledged_unstored:
        yield f"I1: message {message} was acknowledged before it was stored"


def check_stored(ledger: Ledger, payload_of: PayloadOf, reported_backlog: int | None = None) -> Iterator[str]:
    """Check I2; ``payload_of`` returns what was published, for messages in chunks."""
    waiting = 0
    for message, published in ledger.published.items():
        names = ledger.by_message.get(message, [])
        waiting += published.acknowledged_at is None and not published.dead_lettered
        if len(names) > 1:
            yield f"I2: message {message} has {len(names)} documents"
        elif names and not _is_equal(ledger, names[0], message, payload_of):
            yield f"I2: message {message} is stored with other bytes than were published"
        elif not names and published.acknowledged_at is not None:
            yield f"I2: message {message} left the backlog and is not stored"
    for message in ledger.by_message.keys() - ledger.published.keys():
        yield f"I2: message {message} is stored and was never published"
    if reported_backlog is not None and reported_backlog != waiting:
        yield f"I2: Pub/Sub reports a backlog of {reported_backlog}, and by the journal {waiting} messages wait"


def _is_equal(ledger: Ledger, name: str, message: str, payload_of: PayloadOf) -> bool:
    document, published = ledger.documents[name], ledger.published[message]
    if not document.chunk_count:
        return document.data == {"bytes": published.bytes, "sha256": published.sha256}
    return _chunks_are_equal(ledger, name, document, payload_of(message))


def _chunks_are_equal(ledger: Ledger, name: str, document: Document, payload: bytes) -> bool:
    chunks = ledger.chunks.get(name, {})
    start = 0
    for index in range(document.chunk_count):
        found = chunks.get(index)
        if found is None:
            return False
        part = payload[start : start + found["bytes"]]
        if hashlib.sha256(part).hexdigest() != found["sha256"]:
            return False
        start += found["bytes"]
    return start == len(payload)


def check_streams(ledger: Ledger, logs: Iterable[StreamLog]) -> Iterator[str]:
    """Check I3 for the clients that read to the end."""
    for log in logs:
        yield from check_gaps(ledger, log)
        yield from check_repeats(log)


def check_gaps(ledger: Ledger, log: StreamLog) -> Iterator[str]:
    """Check that a client saw each message that was stored since it was live, or since its last resync."""
    if log.live_at is None:
        yield f"I3: client {log.name} never became live"
        return
    resyncs = [at for connection in log.connections for at in connection.resyncs]
    since = max([log.live_at, *resyncs])
    missed = [name for name, document in ledger.documents.items() if document.at > since and name not in log.seen]
    if missed:
        yield f"I3: client {log.name} missed {len(missed)} messages, the first is {missed[0]}"


def check_repeats(log: StreamLog) -> Iterator[str]:
    """Check that a state of a message came once in a connection, and again only within the overlap of a replay."""
    before: dict[tuple[str, int], int] = {}
    for number, connection in enumerate(log.connections):
        here: dict[tuple[str, int], int] = {}
        for frame in connection.frames:
            state = (frame.document, frame.deliveries)
            if state in here:
                yield f"I3: client {log.name} got message {frame.document} twice in connection {number}"
            elif max(before.get(state, frame.position), frame.microseconds) < _replay_start(connection):
                yield f"I3: client {log.name} got message {frame.document} again, which its position had passed"
            here[state] = frame.position
        before |= here


def _replay_start(connection: Connection) -> int:
    microseconds = connection.position.partition("-")[0]
    return int(microseconds) - OVERLAP_MICROSECONDS if microseconds else 0


def check_recovery(seconds: float | None, waiting_for: str) -> Iterator[str]:
    """Check I4; ``seconds`` is None when the recovery did not end."""
    if seconds is None:
        yield f"I4: {RECOVERY_SECONDS:g} s after the last fault, still waiting for {waiting_for}"
