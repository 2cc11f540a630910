"""An outage of Firestore while pushes go on: each is answered in time, nothing piles up, nothing is lost."""

import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest

from tests.support.firestore.fault_proxy import FaultProxy, failing, passing
from tests.support.firestore.reader import Reader
from tests.support.firestore.servers import local_firestore
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import push_body
from tests.support.waiting import wait_until

PUSHERS = 16
OUTAGE_SECONDS = 12.0
MEGABYTE = 1_000_000


@pytest.fixture
def store() -> Iterator[str]:
    with local_firestore() as address:
        yield address


@dataclass(frozen=True)
class Size:
    """The worker's threads, open files and memory."""

    threads: int
    files: int
    rss_bytes: int

    @classmethod
    def of(cls, receiver: ReceiverProcess) -> "Size":
        [worker] = receiver.workers()
        process = Path(f"/proc/{worker}")
        return cls(len(list((process / "task").iterdir())), len(list((process / "fd").iterdir())), receiver.rss_bytes())


@dataclass
class Load:
    """Pushes message after message until ``ended``."""

    receiver: ReceiverProcess
    token: str
    ended: threading.Event = field(default_factory=threading.Event)
    answers: list[tuple[int, float]] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    pushed: set[str] = field(default_factory=set)

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        self.ended.set()

    def push(self, message_id: str) -> None:
        start = time.monotonic()
        status = self.receiver.push(push_body(message_id, self._data(message_id)), self.token).status
        self.answers.append((status, time.monotonic() - start))
        self.pushed.add(message_id)
        if status == 204:
            self.acknowledged.add(message_id)

    def run(self, pusher: int) -> None:
        number = 0
        while not self.ended.is_set():
            self.push(f"outage-{pusher}-{number}")
            number += 1
            self.ended.wait(0.05)

    def _data(self, message_id: str) -> bytes:
        # Every tenth has chunks, so that the other queue has its outage.
        return b"x" * 30_000 if message_id.endswith("0") else b"x"


@pytest.mark.slow
def test_outage_of_firestore_piles_nothing_up_and_loses_nothing(store: str, keys: KeyServer, token: str) -> None:
    proxy, reader = FaultProxy(store), Reader(store)
    receiver = ReceiverProcess(proxy.address, keys.url).start()
    load = Load(receiver, token)
    try:
        with ThreadPoolExecutor(PUSHERS) as pool, load:
            pushers = [pool.submit(load.run, pusher) for pusher in range(PUSHERS)]
            wait_until(lambda: len(load.acknowledged) > 200, "the first acknowledgements", 20)
            before = Size.of(receiver)
            during = _outage(proxy, load, receiver)
            wait_until(lambda: {one[0] for one in load.answers[-100:]} == {204}, "the full recovery", 5)
            after = Size.of(receiver)
        assert [pusher.result() for pusher in pushers] == [None] * PUSHERS
        assert max(one.threads for one in during) <= before.threads + 2
        assert max(one.files for one in during) <= before.files + PUSHERS, "one connection for each pusher"
        assert after.rss_bytes - before.rss_bytes < 20 * MEGABYTE
        with ThreadPoolExecutor(PUSHERS) as pool:
            list(pool.map(load.push, load.pushed - load.acknowledged))
        assert load.acknowledged == load.pushed == set(reader.messages())
    finally:
        receiver.close()
        reader.close()
        proxy.close()


def _outage(proxy: FaultProxy, load: Load, receiver: ReceiverProcess) -> list[Size]:
    """Refuse every write for ``OUTAGE_SECONDS``; return the worker's size in each second."""
    proxy.always = failing(grpc.StatusCode.UNAVAILABLE)
    time.sleep(1)  # calls under way are answered
    first, sizes, deadline = len(load.answers), [], time.monotonic() + OUTAGE_SECONDS
    while time.monotonic() < deadline:
        sizes.append(Size.of(receiver))
        time.sleep(1)
    answers = load.answers[first:]
    assert {status for status, _ in answers} == {503}
    assert len(answers) > 10 * OUTAGE_SECONDS, "pushes go on"
    assert statistics.quantiles([seconds for _, seconds in answers], n=100)[98] < 6
    proxy.always = passing
    return sizes
