"""Each invariant finds its violation in a journal, and nothing in a good one."""

import hashlib
from collections.abc import Iterable
from typing import Any

import pytest

from tests.load.check.invariants import check_acknowledged, check_recovery, check_repeats, check_stored, check_streams
from tests.load.check.ledger import Ledger
from tests.load.check.stream_log import Connection, Frame, StreamLog

TOPIC, SUBSCRIPTION = "projects/p/topics/t", "projects/p/subscriptions/s"
NAME = "a" * 32
OTHER = "b" * 32
Event = dict[str, Any]


def digest(data: bytes) -> dict[str, object]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def published(data: bytes = b"hello", message: str = "1") -> Event:
    return {"at": 1.0, "event": "published", "topic": TOPIC, "message": message, **digest(data)}


def pushed(message: str = "1") -> Event:
    return {"at": 2.0, "event": "pushed", "subscription": SUBSCRIPTION, "message": message, "push": 1}


def answered(status: int = 204, message: str = "1") -> Event:
    return {**pushed(message), "at": 2.5, "event": "answered", "status": status}


def acknowledged(message: str = "1") -> Event:
    return {"at": 2.5, "event": "acknowledged", "subscription": SUBSCRIPTION, "message": message}


def dead_lettered(message: str = "1") -> Event:
    return {**acknowledged(message), "event": "dead_lettered"}


def stored(data: bytes | None = b"hello", message: str = "1", name: str = NAME, chunks: int = 0) -> Event:
    fields = {"message_id": message, "deliveries": 1, "chunks": chunks, "data": digest(data) if data else None}
    return {"at": 2.2, "event": "stored", "path": f"messages/{name}", "fields": fields}


def chunk(data: bytes, index: int, name: str = NAME) -> Event:
    path = f"messages/{name}/chunks/{index:04d}"
    return {"at": 2.1, "event": "stored", "path": path, "fields": {"data": digest(data)}}


def ledger_of(events: Iterable[Event]) -> Ledger:
    ledger = Ledger(TOPIC, SUBSCRIPTION)
    ledger.take(events)
    return ledger


GOOD = [published(), pushed(), stored(), answered(), acknowledged()]
IN_CHUNKS = [published(), chunk(b"hel", 0), chunk(b"lo", 1), stored(None, chunks=2), acknowledged()]


@pytest.mark.parametrize(
    ("events", "found"),
    [
        pytest.param(GOOD, "", id="stored before its acknowledgement"),
        pytest.param(IN_CHUNKS, "", id="chunks before their document"),
        pytest.param([published(), acknowledged(), stored()], "acknowledged before", id="stored after it"),
        pytest.param([published(), acknowledged()], "acknowledged before", id="not stored"),
        pytest.param(
            [published(), stored(None, chunks=1), acknowledged(), chunk(b"hello", 0)],
            "acknowledged before",
            id="chunk after it",
        ),
    ],
)
def test_acknowledged_message_is_stored_first(events: list[Event], found: str) -> None:
    assert_found(check_acknowledged(ledger_of(events)), found)


@pytest.mark.parametrize(
    ("events", "backlog", "found"),
    [
        pytest.param(GOOD, 0, "", id="stored"),
        pytest.param(IN_CHUNKS, 0, "", id="stored in chunks"),
        pytest.param([published()], 1, "", id="in the backlog"),
        pytest.param([published(), stored()], 1, "", id="stored, its acknowledgement was lost"),
        pytest.param([published(), dead_lettered()], 0, "", id="dead-lettered"),
        pytest.param([published(), acknowledged()], 0, "is not stored", id="lost"),
        pytest.param([*GOOD, stored(name=OTHER)], 0, "has 2 documents", id="two documents"),
        pytest.param([published(), stored(b"hallo"), acknowledged()], 0, "other bytes", id="altered"),
        pytest.param([published(), chunk(b"hel", 0), stored(None, chunks=2)], 1, "other bytes", id="chunk missing"),
        pytest.param(
            [published(), chunk(b"lo", 0), chunk(b"hel", 1), stored(None, chunks=2)],
            1,
            "other bytes",
            id="chunks in another order",
        ),
        pytest.param([*GOOD, stored(message="2", name=OTHER)], 0, "never published", id="invented"),
        pytest.param(GOOD, 3, "reports a backlog of 3", id="backlog differs"),
    ],
)
def test_published_is_stored_waiting_or_dead_lettered(events: list[Event], backlog: int, found: str) -> None:
    assert_found(check_stored(ledger_of(events), lambda _: b"hello", backlog), found)


def frame(name: str = NAME, deliveries: int = 1, seconds: float = 100.0, position: float = 0.0) -> Frame:
    return Frame(seconds, name, deliveries, int(seconds * 1e6), int((position or seconds) * 1e6))


def log_of(*connections: Connection, live_at: float | None = 0.0) -> StreamLog:
    seen = {one.document: one.at for connection in connections for one in connection.frames}
    return StreamLog("client", list(connections), seen, live_at)


@pytest.mark.parametrize(
    ("log", "found"),
    [
        pytest.param(log_of(Connection(0, "", [frame()])), "", id="all"),
        pytest.param(log_of(Connection(0)), "missed 1 messages", id="none"),
        pytest.param(log_of(Connection(0, resyncs=[3.0])), "", id="resync after it"),
        pytest.param(log_of(Connection(0, resyncs=[1.0])), "missed 1 messages", id="resync before it"),
        pytest.param(log_of(Connection(0), live_at=3.0), "", id="live after it"),
        pytest.param(log_of(live_at=None), "never became live", id="never live"),
    ],
)
def test_client_misses_no_message(log: StreamLog, found: str) -> None:
    assert_found(check_streams(ledger_of(GOOD), [log]), found)


@pytest.mark.parametrize(
    ("connections", "found"),
    [
        pytest.param([Connection(0, "", [frame(), frame(deliveries=2)])], "", id="a later state"),
        pytest.param([Connection(0, "", [frame(), frame()])], "twice in connection 0", id="twice"),
        pytest.param(
            [Connection(0, "", [frame()]), Connection(0, "109000000-x", [frame()])], "", id="within the overlap"
        ),
        pytest.param(
            [Connection(0, "", [frame()]), Connection(0, "111000000-x", [frame(position=111)])],
            "had passed",
            id="before it",
        ),
        pytest.param(
            [Connection(0, "", [frame(position=102)]), Connection(0, "111000000-x", [frame(position=102)])],
            "",
            id="within it by its late arrival",
        ),
    ],
)
def test_client_gets_no_message_twice(connections: list[Connection], found: str) -> None:
    assert_found(check_repeats(log_of(*connections)), found)


def test_recovery_that_does_not_end_is_a_violation() -> None:
    assert_found(check_recovery(3.0, ""), "")
    assert_found(check_recovery(None, "7 messages in the backlog"), "waiting for 7 messages")


def assert_found(violations: Iterable[str], found: str) -> None:
    sentences = list(violations)
    assert bool(sentences) == bool(found), sentences
    assert all(found in sentence for sentence in sentences), sentences
