"""Group commit against a real Firestore: what is stored, what is counted, and who gets which outcome."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from functions.committer import Committer
from infra.errors import StoreError, StoreInvalidError, StoreRefusedError, StoreUnavailableError
from infra.firestore.client import Database
from infra.firestore.writes import MessageWriter
from infra.message import CHUNK_BYTES, INLINE_BYTES, Pushed
from infra.settings import receiver_settings
from tests.functions.firestores import (
    FaultProxy,
    Reader,
    changing_the_reply,
    failing,
    losing_the_reply,
    slow,
)
from tests.functions.stage import ACCOUNT, AUDIENCE, FULL_SUBSCRIPTION, PROJECT, SUBSCRIPTION

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
PUBLISHED = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
_ids = iter(range(10**9))


@pytest.fixture
def proxy(store: str) -> Iterator[FaultProxy]:
    one = FaultProxy(store)
    yield one
    one.close()


def pushed(data: bytes = b"hello", **changed: Any) -> Pushed:
    """A message that no other test uses."""
    one = Pushed(FULL_SUBSCRIPTION, f"committer-{next(_ids)}", PUBLISHED, data)
    return replace(one, **changed)


def commit(address: str, story: Callable[[Committer], Awaitable[None]]) -> None:
    """Tell ``story`` with a committer that writes to ``address``."""

    async def run() -> None:
        environment = {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "PUSH_AUDIENCE": AUDIENCE,
            "PUSH_SERVICE_ACCOUNT": ACCOUNT,
            "SUBSCRIPTIONS": SUBSCRIPTION,
            "FIRESTORE_EMULATOR_HOST": address,
        }
        database = Database(receiver_settings(environment))
        committer = Committer(MessageWriter(database), shards=4, retention=timedelta(days=7), now=lambda: NOW)
        try:
            async with asyncio.timeout(30):
                await story(committer)
        finally:
            await database.async_channel.close()

    asyncio.run(run())


async def outcomes(committer: Committer, messages: list[Pushed]) -> list[BaseException | None]:
    """Save all at once."""
    return await asyncio.gather(*map(committer.save, messages), return_exceptions=True)


def stored(reader: Reader, message: Pushed) -> dict[str, Any]:
    return reader.messages()[message.message_id]


def test_a_small_message_is_one_document_with_every_field(store: str, reader: Reader) -> None:
    message = pushed(
        b'{"status": "SUCCESS", "steps": 4}',
        attributes={"kind": "build", "__name__": "", "": "50%"},
        ordering_key="k",
        delivery_attempt=3,
    )
    before = datetime.now(UTC) - timedelta(seconds=1)
    commit(store, lambda committer: committer.save(message))
    found = stored(reader, message)
    received_at = found.pop("received_at")
    assert before < received_at < datetime.now(UTC) + timedelta(seconds=1)
    assert found == {
        "id": message.id,
        "subscription": SUBSCRIPTION,
        "message_id": message.message_id,
        "ordering_key": "k",
        "publish_time": PUBLISHED,
        "attributes": {"kind": "build", "%5F_name__": "", "%": "50%"},
        "tokens": found["tokens"],
        "kind": "json",
        "preview": '{"status": "SUCCESS", "steps": 4}',
        "data": b'{"status": "SUCCESS", "steps": 4}',
        "chunks": 0,
        "size_bytes": 33,
        "sha256": hashlib.sha256(message.data).hexdigest(),
        "deliveries": 1,
        "last_delivered_at": received_at,
        "delivery_attempt": 3,
        "shard": int(message.id[:8], 16) % 4,
        "expire_at": NOW + timedelta(days=7),
    }
    assert found["tokens"][:1] == ["kind=build"]


def test_without_an_attempt_the_field_is_absent_and_the_ordering_key_is_empty(store: str, reader: Reader) -> None:
    message = pushed()
    commit(store, lambda committer: committer.save(message))
    found = stored(reader, message)
    assert ("delivery_attempt" in found, found["ordering_key"], found["attributes"]) == (False, "", {})


@pytest.mark.parametrize(
    ("size", "chunks"),
    [(0, 0), (INLINE_BYTES, 0), (INLINE_BYTES + 1, 1), (CHUNK_BYTES, 1), (CHUNK_BYTES + 1, 2), (10_000_000, 11)],
)
def test_a_payload_of_any_size_is_kept_byte_for_byte(store: str, reader: Reader, size: int, chunks: int) -> None:
    message = pushed(os.urandom(size))
    commit(store, lambda committer: committer.save(message))
    found = stored(reader, message)
    assert (found["chunks"], found["size_bytes"], "data" in found) == (chunks, size, not chunks)
    assert reader.payload(found) == message.data
    parts = reader.all("chunks", f"messages/{message.id}")
    assert sorted(parts) == [f"{index:04d}" for index in range(chunks)]
    assert all(part["expire_at"] == found["expire_at"] for part in parts.values())


def test_concurrent_messages_share_calls(proxy: FaultProxy, reader: Reader) -> None:
    messages = [pushed() for _ in range(500)]
    commit(proxy.address, lambda committer: _all_saved(committer, messages))
    assert len(proxy.calls) <= 4
    assert {message.message_id for message in messages} <= set(reader.messages())


async def _all_saved(committer: Committer, messages: list[Pushed]) -> None:
    assert await outcomes(committer, messages) == [None] * len(messages)


def test_concurrent_large_messages_are_all_stored(store: str, reader: Reader) -> None:
    messages = [pushed(os.urandom(100_000 * (number % 4 + 1))) for number in range(40)]
    commit(store, lambda committer: _all_saved(committer, messages))
    found = reader.messages()
    assert all(reader.payload(found[message.message_id]) == message.data for message in messages)


@pytest.mark.parametrize("data", [b"small", b"x" * 50_000], ids=["small", "large"])
def test_simultaneous_deliveries_make_one_document_and_are_all_counted(store: str, reader: Reader, data: bytes) -> None:
    rounds = [pushed(data) for _ in range(20)]

    async def story(committer: Committer) -> None:
        for message in rounds:
            assert await outcomes(committer, [message] * 32) == [None] * 32

    commit(store, story)
    found = reader.messages()
    assert [found[message.message_id]["deliveries"] for message in rounds] == [32] * 20


@pytest.mark.parametrize("data", [b"small", b"x" * 50_000], ids=["small", "large"])
def test_a_redelivery_is_counted_and_leaves_the_rest(store: str, reader: Reader, data: bytes) -> None:
    message = pushed(data)
    commit(store, lambda committer: committer.save(message))
    first = stored(reader, message)

    async def again(committer: Committer) -> None:
        await committer.save(replace(message, delivery_attempt=2))
        await outcomes(committer, [message] * 5)

    commit(store, again)
    second = stored(reader, message)
    assert (second["deliveries"], second["delivery_attempt"]) == (7, 2)
    assert second["last_delivered_at"] > first["last_delivered_at"] == second["received_at"]
    changed = {"deliveries", "delivery_attempt", "last_delivered_at"}
    assert {k: v for k, v in second.items() if k not in changed} == {k: v for k, v in first.items() if k not in changed}


def test_a_stored_large_message_is_not_written_again(proxy: FaultProxy, store: str) -> None:
    message = pushed(b"x" * 3_000_000)
    commit(store, lambda committer: committer.save(message))
    commit(proxy.address, lambda committer: committer.save(message))
    assert proxy.calls == ["BatchGetDocuments", "BatchWrite"]


def test_a_failing_count_does_not_fail_a_stored_message(proxy: FaultProxy, store: str, reader: Reader) -> None:
    message = pushed()
    commit(store, lambda committer: committer.save(message))
    proxy.queue = [lambda forward: forward(), failing(grpc.StatusCode.UNAVAILABLE)]
    commit(proxy.address, lambda committer: committer.save(message))
    assert (len(proxy.calls), stored(reader, message)["deliveries"]) == (2, 1)


@pytest.mark.parametrize("code", ["ABORTED", "INTERNAL", "DEADLINE_EXCEEDED", "UNAVAILABLE", "RESOURCE_EXHAUSTED"])
def test_a_passing_failure_is_tried_again(proxy: FaultProxy, reader: Reader, code: str) -> None:
    message = pushed()
    proxy.queue = [failing(grpc.StatusCode[code])]
    commit(proxy.address, lambda committer: committer.save(message))
    assert (len(proxy.calls), stored(reader, message)["deliveries"]) == (2, 1)


def test_a_lasting_failure_is_given_up_after_three_calls(proxy: FaultProxy, reader: Reader) -> None:
    messages = [pushed() for _ in range(3)]
    proxy.always = failing(grpc.StatusCode.RESOURCE_EXHAUSTED)

    async def story(committer: Committer) -> None:
        assert [type(found) for found in await outcomes(committer, messages)] == [StoreUnavailableError] * 3

    commit(proxy.address, story)
    assert len(proxy.calls) == 3
    assert not {message.message_id for message in messages} & set(reader.messages())


def test_a_denied_write_is_not_tried_again(proxy: FaultProxy) -> None:
    proxy.always = failing(grpc.StatusCode.PERMISSION_DENIED)

    async def story(committer: Committer) -> None:
        assert [type(found) for found in await outcomes(committer, [pushed()])] == [StoreRefusedError]

    commit(proxy.address, story)
    assert len(proxy.calls) == 1


def test_a_lost_reply_counts_once(proxy: FaultProxy, reader: Reader) -> None:
    messages = [pushed() for _ in range(5)]
    proxy.queue = [losing_the_reply()]
    commit(proxy.address, lambda committer: _all_saved(committer, messages))
    found = reader.messages()
    assert [found[message.message_id]["deliveries"] for message in messages] == [1] * 5


def test_each_message_of_a_batch_gets_its_own_outcome(proxy: FaultProxy, reader: Reader) -> None:
    good, denied = pushed(), pushed()

    def deny_second(reply: Any) -> None:
        reply.status[1].code = grpc.StatusCode.PERMISSION_DENIED.value[0]

    proxy.always = changing_the_reply(deny_second)

    async def story(committer: Committer) -> None:
        found = await outcomes(committer, [good, denied])
        assert [type(one) for one in found] == [type(None), StoreRefusedError]

    commit(proxy.address, story)
    assert good.message_id in reader.messages()


def test_a_short_reply_acknowledges_only_what_it_names(proxy: FaultProxy) -> None:
    def cut(reply: Any) -> None:
        del reply.status[1:]

    proxy.always = changing_the_reply(cut)

    async def story(committer: Committer) -> None:
        found = await outcomes(committer, [pushed() for _ in range(5)])
        # Tried again, the first that is left is named each time: three calls name three.
        assert [type(one) for one in found] == [type(None)] * 3 + [StoreUnavailableError] * 2

    commit(proxy.address, story)


def test_one_invalid_message_is_found_and_its_neighbours_are_stored(store: str, reader: Reader) -> None:
    # The envelope refuses such a name; here it stands for whatever Firestore may refuse one day.
    poison = pushed(attributes={"a" * 1501: "x"})
    messages = [pushed() for _ in range(9)]

    async def story(committer: Committer) -> None:
        found = await outcomes(committer, [*messages[:5], poison, *messages[5:]])
        assert [type(one) for one in found] == [type(None)] * 5 + [StoreInvalidError] + [type(None)] * 4

    commit(store, story)
    names = set(reader.messages())
    assert {message.message_id for message in messages} <= names
    assert poison.message_id not in names


def test_a_client_that_leaves_does_not_cancel_the_shared_commit(proxy: FaultProxy, reader: Reader) -> None:
    leaver, stayer = pushed(), pushed()
    proxy.queue = [slow(0.3), slow(0.3)]

    async def story(committer: Committer) -> None:
        await asyncio.gather(_leave(committer, leaver), committer.save(stayer))

    commit(proxy.address, story)
    assert {leaver.message_id, stayer.message_id} <= set(reader.messages())


async def _leave(committer: Committer, message: Pushed) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await committer.save(message)


def test_a_head_is_never_visible_before_its_chunks(proxy: FaultProxy, reader: Reader) -> None:
    message = pushed(b"x" * (5 * CHUNK_BYTES))
    # 3.75 MiB is four chunks a call: the second call fails for good.
    proxy.queue = [lambda forward: forward()]
    proxy.always = failing(grpc.StatusCode.UNAVAILABLE)

    async def story(committer: Committer) -> None:
        with pytest.raises(StoreError):
            await committer.save(message)

    commit(proxy.address, story)
    assert message.message_id not in reader.messages()
    proxy.always = lambda forward: forward()
    commit(proxy.address, lambda committer: committer.save(message))
    assert reader.payload(stored(reader, message)) == message.data


def test_small_messages_do_not_wait_for_large_ones(proxy: FaultProxy) -> None:
    async def story(committer: Committer) -> None:
        large = asyncio.create_task(committer.save(pushed(b"x" * 2_000_000)))
        await asyncio.sleep(0.3)
        assert proxy.calls.count("BatchWrite") == 1, "its chunks are on their way"
        proxy.always = lambda forward: forward()
        async with asyncio.timeout(1):
            await committer.save(pushed())
        assert not large.done()
        await large

    proxy.always = slow(2)
    commit(proxy.address, story)


def test_a_first_attempt_of_a_large_message_is_not_looked_for(proxy: FaultProxy, reader: Reader) -> None:
    message = pushed(b"x" * 50_000, delivery_attempt=1)
    commit(proxy.address, lambda committer: committer.save(message))
    assert proxy.calls == ["BatchWrite", "BatchWrite"]
    commit(proxy.address, lambda committer: committer.save(message))
    assert stored(reader, message)["deliveries"] == 2, "stored already, and seen so by its head"
