"""The memory of a failed message is released at once: errors hold frames, and frames hold payloads."""

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from functions.group_commit import GroupCommit
from infra.errors import StoreError
from tests.support.firestore.fault_proxy import FaultProxy, failing
from tests.support.receiver.committing import commit, pushed
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import push_body

MEGABYTE = 1_000_000


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Switch off the garbage collector, so that reference cycles keep their objects."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("code", ["UNAVAILABLE", "PERMISSION_DENIED", "INVALID_ARGUMENT"])
@pytest.mark.parametrize("size", [500, 100_000, 3_700_000])
def test_payload_that_could_not_be_stored_is_released(proxy: FaultProxy, code: str, size: int) -> None:
    data = os.urandom(size)
    proxy.always = failing(grpc.StatusCode[code])

    async def deliver(committer: GroupCommit) -> None:
        with pytest.raises(StoreError):
            await committer.save(pushed(data, delivery_attempt=1))

    async def story(committer: GroupCommit) -> None:
        before = sys.getrefcount(data)
        async with asyncio.TaskGroup() as deliveries:
            for _ in range(4):
                deliveries.create_task(deliver(committer))
        await asyncio.sleep(0.1)  # a call ends after its messages have their outcomes
        assert sys.getrefcount(data) == before

    commit(proxy.address, story)


@pytest.mark.slow
def test_large_messages_that_cannot_be_stored_stay_within_memory(
    proxy: FaultProxy, keys: KeyServer, token: str
) -> None:
    proxy.always = failing(grpc.StatusCode.UNAVAILABLE)
    receiver = ReceiverProcess(proxy.address, keys.url).start()
    data = os.urandom(9_900_000)
    try:
        with ThreadPoolExecutor(3) as pushers:
            statuses = pushers.map(lambda n: receiver.push(push_body(f"huge-{n}", data), token).status, range(30))
            assert set(statuses) == {503}
        assert receiver.peak_rss_bytes() < 300 * MEGABYTE
    finally:
        receiver.close()
