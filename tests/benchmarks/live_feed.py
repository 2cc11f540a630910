"""The feed and Google's ``on_snapshot``, one after the other: write -> frame, or write -> callback, at a rate.

Firestore and the writer are separate processes; the reader has this one. Messages are counted by distinct
id, because a listener may repeat them.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any
from unittest.mock import patch

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.benchmarks.timings import Found, arrived
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import environ_for
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import viewing
from web.live.listener import FeedTiming

PATIENCE_SECONDS = 6.0
_BATCHES_PER_SECOND = 20
_SPAWN = multiprocessing.get_context("spawn")


def measure_feed(rate: int, seconds: float) -> Found:
    """Measure the feed, up to encoded frames at one client."""
    with firestore_process() as address, viewing(address, FeedTiming()) as view:
        client = view.live_client()
        sent = write(address, rate, seconds, lambda: len(client.frames))
        got = {frame.data["id"]: frame.at for frame in reversed(client.of("message"))}
        found = arrived(sent, got)
        resyncs = len(client.of("resync"))
        client.close()
        return Found(found.seconds, found.note + (f", {resyncs} resyncs" if resyncs else ""))


def measure_on_snapshot(rate: int, seconds: float) -> Found:
    """Measure Google's listener, up to its callback."""
    got: dict[str, float] = {}

    def take(_documents: Any, changes: Any, _read_time: Any) -> None:
        now = time.monotonic()
        for change in changes:
            got.setdefault(change.document.id, now)

    with firestore_process() as address, patch.dict(os.environ, environ_for(address)):
        client = firestore.Client(project="subscope-test")
        recent = FieldFilter("received_at", ">=", datetime.now(UTC))
        watch = client.collection("messages").where(filter=recent).on_snapshot(take)
        sent = write(address, rate, seconds, lambda: len(got))
        found = arrived(sent, dict(got))
        end: Any = (watch.unsubscribe, client._firestore_api.transport.close)  # they have no types
        for each in end:
            each()
        return found


def write(address: str, rate: int, seconds: float, count: Callable[[], int]) -> dict[str, float]:
    """Let another process write at a rate; return each message's time when no more arrive."""
    ours, theirs = _SPAWN.Pipe()
    writer = _SPAWN.Process(target=_write, args=(address, rate, seconds, theirs))
    writer.start()
    try:
        assert ours.poll(seconds * 3 + 20), "the writer did not end"
        sent: dict[str, float] = ours.recv()
    finally:
        writer.join(5)
        writer.kill()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        before = count()
        time.sleep(0.5)
        if count() == before:
            break
    return sent


def _write(address: str, rate: int, seconds: float, result: Connection) -> None:
    writer = Writer(address)
    sent: dict[str, float] = {}
    began = time.monotonic()
    for batch in range(int(seconds * _BATCHES_PER_SECOND)):
        time.sleep(max(0.0, began + batch / _BATCHES_PER_SECOND - time.monotonic()))
        now = time.monotonic()
        sent |= dict.fromkeys(writer.messages(rate // _BATCHES_PER_SECOND), now)
    result.send(sent)
    writer.close()


@contextmanager
def firestore_process() -> Iterator[str]:
    """Run a local Firestore in a separate process."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(theirs,))
    process.start()
    try:
        assert ours.poll(20), "the local Firestore did not start"
        yield ours.recv()
    finally:
        ours.send("end")
        process.join(5)
        process.kill()


def _serve(control: Connection) -> None:
    server = LocalFirestore()
    control.send(server.address)
    control.recv()
    server.close()
