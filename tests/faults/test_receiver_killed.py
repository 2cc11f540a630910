"""The receiver is killed during delivery: every acknowledged message is stored at all times."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.support.firestore.reader import Reader
from tests.support.firestore.servers import local_firestore
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import push_body
from tests.support.waiting import wait_until

PUSHERS = 16


@dataclass
class Deliveries:
    """Pushes ``waiting`` as Pub/Sub does, each until it is acknowledged; one begins each ``pace_seconds``."""

    receiver: ReceiverProcess
    token: str
    waiting: dict[str, bytes]
    pace_seconds: float = 0.0
    acknowledged: set[str] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        began = time.monotonic()
        names = sorted(self.waiting)
        return [pool.submit(self._push, name, began + turn * self.pace_seconds) for turn, name in enumerate(names)]

    def _push(self, message_id: str, not_before: float) -> None:
        self.ended.wait(not_before - time.monotonic())
        body = push_body(message_id, self.waiting[message_id])
        while not self.ended.is_set():
            try:
                if self.receiver.push(body, self.token).status == 204:
                    self.acknowledged.add(message_id)
                    return
            except OSError:
                time.sleep(0.05)


@pytest.fixture
def store() -> Iterator[str]:
    with local_firestore() as address:
        yield address


@dataclass(frozen=True)
class Plan:
    """The number of messages, the pace of their first pushes, and the range of random pauses before each kill."""

    messages: int
    pace_seconds: float
    kills: int
    pauses_seconds: tuple[float, float]


def deliver_while_it_dies(receiver: ReceiverProcess, reader: Reader, token: str, how: int, plan: Plan) -> None:
    # One in ten has chunks.
    waiting = {f"killed-{number}": os.urandom(10 if number % 10 else 200_000) for number in range(plan.messages)}
    deliveries = Deliveries(receiver, token, waiting, plan.pace_seconds)

    def kill() -> None:
        chance = random.Random(7)
        for _ in range(plan.kills):
            time.sleep(chance.uniform(*plan.pauses_seconds))
            for worker in receiver.workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, how)

    killer = threading.Thread(target=kill)
    with ThreadPoolExecutor(PUSHERS) as pool:
        try:
            done = deliveries.start(pool)
            killer.start()
            while killer.is_alive():
                seen = set(deliveries.acknowledged)
                assert seen <= set(reader.messages()), "an acknowledged message is not stored"
                time.sleep(0.2)  # each look reads the whole collection
            wait_until(lambda: all(one.done() for one in done), "every acknowledgement", 30)
        finally:
            deliveries.ended.set()
            killer.join()
    stored = reader.messages()
    assert set(stored) == deliveries.acknowledged == set(waiting)
    assert {name: reader.payload(stored[name]) for name in waiting} == waiting
    assert len(reader.all("messages")) == len(waiting), "one document for each"


SHORT = Plan(messages=600, pace_seconds=0, kills=4, pauses_seconds=(0.15, 0.5))
LONG = Plan(messages=1000, pace_seconds=0.016, kills=8, pauses_seconds=(2, 2))


@pytest.mark.parametrize(
    ("how", "plan"),
    [
        pytest.param(signal.SIGKILL, SHORT, id="killed"),
        pytest.param(signal.SIGTERM, SHORT, id="terminated"),
        pytest.param(signal.SIGKILL, LONG, id="killed each two seconds", marks=pytest.mark.slow),
    ],
)
def test_acknowledged_messages_are_stored_when_the_receiver_is_killed(
    store: str, keys: KeyServer, token: str, how: int, plan: Plan
) -> None:
    reader = Reader(store)
    receiver = ReceiverProcess(store, keys.url).start()
    try:
        deliver_while_it_dies(receiver, reader, token, how, plan)
    finally:
        receiver.close()
        reader.close()
