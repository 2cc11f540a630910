"""A connection that a NAT dropped silently is replaced; gRPC itself keeps a dead connection for minutes."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.errors import StoreUnavailableError
from infra.firestore.async_calls import GRACE_SECONDS, MISSES
from infra.firestore.client import Database
from infra.firestore.message_writer import MessageWriter, rejection_write
from tests.support.faults.relay import Relay
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import QUICK, viewing
from tests.support.waiting import wait_until

TIMEOUT_SECONDS = 0.5


@pytest.fixture
def relay(firestore: LocalFirestore) -> Iterator[Relay]:
    made = Relay(firestore.address)
    yield made
    made.close()


def test_receiver_replaces_a_dead_connection_after_two_timeouts(relay: Relay) -> None:
    async def story() -> None:
        writer = MessageWriter(Database(settings_for(relay.address)))

        async def write() -> None:
            outcomes = await writer.batch_write([rejection_write(writer.root, "one", [])], TIMEOUT_SECONDS)
            assert outcomes == [None]

        await write()
        relay.forget()
        began = time.monotonic()
        for _ in range(MISSES):
            with pytest.raises(StoreUnavailableError):
                await write()
        assert time.monotonic() - began < MISSES * (TIMEOUT_SECONDS + GRACE_SECONDS) + 0.5
        await write()
        assert relay.connections == 2
        await writer.close()

    asyncio.run(story())


def test_call_on_a_dead_connection_does_not_condemn_the_new_one(relay: Relay) -> None:
    async def story() -> None:
        writer = MessageWriter(Database(settings_for(relay.address)))

        async def write() -> None:
            await writer.batch_write([rejection_write(writer.root, "one", [])], TIMEOUT_SECONDS)

        async def late(number: int) -> None:
            await asyncio.sleep(number * 0.2)
            await write()

        await write()
        relay.forget()
        waiting = [asyncio.create_task(late(number)) for number in range(2 * MISSES)]
        await asyncio.wait(waiting[:MISSES])
        await write()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(one) for one in found} == {StoreUnavailableError}
        await write()
        assert relay.connections == 2
        await writer.close()

    asyncio.run(story())


@pytest.mark.slow
def test_feed_replaces_a_dead_connection(relay: Relay, firestore: LocalFirestore) -> None:
    writer = Writer(firestore.address)
    with viewing(relay.address, replace(QUICK, silence_seconds=0.6)) as view:
        client = view.live_client()
        relay.forget()
        message = writer.message()
        # The read that checks the channel has a timeout of ten seconds.
        wait_until(lambda: message in client.ids(), "the message that was stored during the silence", 25)
        client.close()
    writer.close()
