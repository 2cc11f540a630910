"""Group commit against a real Firestore: the documents, the calls and the counts of deliveries."""

import asyncio
import hashlib
import os
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import grpc
import pytest

from functions.group_commit import MAX_COMMIT_PAYLOAD_BYTES, MAX_REQUEST_BYTES, MAX_WRITES, GroupCommit
from infra.errors import StoreError
from infra.messages.chunks import CHUNK_BYTES, INLINE_BYTES
from infra.messages.message import Pushed
from tests.support.firestore.fault_proxy import FaultProxy, failing, slow
from tests.support.firestore.reader import Reader
from tests.support.receiver.committing import NOW, PUBLISHED, all_saved, commit, outcomes, pushed, stored, stored_among
from tests.support.receiver.push import SUBSCRIPTION


def test_small_message_is_one_document_with_every_field(store: str, reader: Reader) -> None:
    message = pushed(
        b'{"status": "SUCCESS", "steps": 4}',
        attributes={"kind": "build", "__name__": "", "": "50%", "level": "warn"},
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
        "attributes": {"kind": "build", "%5F_name__": "", "%": "50%", "level": "warn"},
        "tokens": found["tokens"],
        "severity": "WARNING",
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
    assert found["tokens"][:2] == ["severity=WARNING", "kind=build"]


def test_without_an_attempt_the_field_is_absent_and_the_ordering_key_is_empty(store: str, reader: Reader) -> None:
    message = pushed()
    commit(store, lambda committer: committer.save(message))
    found = stored(reader, message)
    assert ("delivery_attempt" in found, found["ordering_key"], found["attributes"]) == (False, "", {})


@pytest.mark.parametrize(
    ("size", "chunks", "calls"),
    [
        (0, 0, ["BatchWrite"]),
        (INLINE_BYTES, 0, ["BatchWrite"]),
        (INLINE_BYTES + 1, 1, ["Commit"]),
        (CHUNK_BYTES, 1, ["Commit"]),
        (CHUNK_BYTES + 1, 2, ["Commit"]),
        (MAX_COMMIT_PAYLOAD_BYTES, 4, ["Commit"]),
        (MAX_COMMIT_PAYLOAD_BYTES + 1, 4, ["BatchGetDocuments", "BatchWrite", "BatchWrite"]),
        (10_000_000, 11, ["BatchGetDocuments", *["BatchWrite"] * 4]),
    ],
)
def test_payload_of_any_size_is_kept_byte_for_byte(
    proxy: FaultProxy, reader: Reader, size: int, chunks: int, calls: list[str]
) -> None:
    message = pushed(os.urandom(size))
    commit(proxy.address, lambda committer: committer.save(message))
    assert proxy.calls == calls
    found = stored(reader, message)
    assert (found["chunks"], found["size_bytes"], "data" in found) == (chunks, size, not chunks)
    assert reader.payload(found) == message.data
    parts = reader.all("chunks", f"messages/{message.id}")
    assert sorted(parts) == [f"{index:04d}" for index in range(chunks)]
    assert all(part["expire_at"] == found["expire_at"] + timedelta(days=1) for part in parts.values())


@pytest.mark.parametrize("size", [MAX_COMMIT_PAYLOAD_BYTES, 10_000_000])
def test_most_attributes_fit_beside_the_largest_payload_of_a_request(
    proxy: FaultProxy, reader: Reader, size: int
) -> None:
    attributes = {f"{number:03}" + "%" * 253: "ж" * 512 for number in range(100)}
    message = pushed(b"\x07" * size, attributes=attributes, ordering_key="k" * 1024)
    commit(proxy.address, lambda committer: committer.save(message))
    assert max(proxy.request_bytes) <= MAX_REQUEST_BYTES
    assert reader.payload(stored(reader, message)) == message.data


def test_concurrent_messages_share_calls(proxy: FaultProxy, reader: Reader) -> None:
    messages = [pushed() for _ in range(2 * MAX_WRITES + 1)]
    commit(proxy.address, lambda committer: all_saved(committer, messages))
    assert 3 <= len(proxy.calls) <= 5
    assert MAX_WRITES <= 500, "cloud.google.com/firestore/quotas: the writes of a request"
    assert len(stored_among(reader, messages)) == len(messages)


def test_concurrent_large_messages_are_all_stored(store: str, reader: Reader) -> None:
    messages = [pushed(os.urandom(100_000 * (number % 4 + 1))) for number in range(40)]
    commit(store, lambda committer: all_saved(committer, messages))
    found = stored_among(reader, messages)
    assert all(reader.payload(found[message.message_id]) == message.data for message in messages)


def test_messages_with_chunks_share_calls_within_their_limits(proxy: FaultProxy, reader: Reader) -> None:
    messages = [pushed(os.urandom(300_000)) for _ in range(40)] + [pushed(os.urandom(20_000)) for _ in range(70)]
    commit(proxy.address, lambda committer: all_saved(committer, messages))
    assert set(proxy.calls) == {"Commit"}
    assert 4 <= len(proxy.calls) <= 8, "twelve of the large fill a request, 32 of the others"
    assert max(proxy.request_bytes) <= MAX_REQUEST_BYTES
    found = stored_among(reader, messages)
    assert all(reader.payload(found[message.message_id]) == message.data for message in messages)


SIZES = pytest.mark.parametrize("data", [b"small", b"x" * 100_000, b"x" * 3_700_000], ids=["small", "mid", "large"])


@SIZES
def test_simultaneous_deliveries_make_one_document_and_are_all_counted(store: str, reader: Reader, data: bytes) -> None:
    rounds = [pushed(data) for _ in range(20)]

    async def story(committer: GroupCommit) -> None:
        for message in rounds:
            assert await outcomes(committer, [message] * 32) == [None] * 32

    commit(store, story)
    found = stored_among(reader, rounds)
    assert [found[message.message_id]["deliveries"] for message in rounds] == [32] * 20


@pytest.mark.slow
def test_nearly_simultaneous_deliveries_are_one_document(store: str, reader: Reader) -> None:
    """Some are first, some join it on its way, some come when it is stored: 500 times 32."""
    rounds = [pushed() for _ in range(500)]
    chance = random.Random(3)

    async def deliver(committer: GroupCommit, message: Pushed) -> None:
        await asyncio.sleep(chance.uniform(0, 0.006))
        await committer.save(message)

    async def story(committer: GroupCommit) -> None:
        for message in rounds:
            await asyncio.gather(*(deliver(committer, message) for _ in range(32)))

    commit(store, story)
    found = stored_among(reader, rounds)
    first = {message.message_id: found[message.message_id]["received_at"] for message in rounds}
    assert [found[message.message_id]["deliveries"] for message in rounds] == [32] * 500
    commit(store, lambda committer: all_saved(committer, rounds))
    again = stored_among(reader, rounds)
    assert {name: again[name]["received_at"] for name in first} == first
    assert len([one for one in reader.all("messages").values() if one["message_id"] in first]) == 500


@SIZES
def test_redelivery_is_counted_and_leaves_the_rest(store: str, reader: Reader, data: bytes) -> None:
    message = pushed(data)
    commit(store, lambda committer: committer.save(message))
    first = stored(reader, message)

    async def again(committer: GroupCommit) -> None:
        await committer.save(replace(message, delivery_attempt=2))
        await outcomes(committer, [message] * 5)

    commit(store, again)
    second = stored(reader, message)
    assert (second["deliveries"], second["delivery_attempt"]) == (7, 2)
    assert second["last_delivered_at"] > first["last_delivered_at"] == second["received_at"]
    changed = {"deliveries", "delivery_attempt", "last_delivered_at"}
    assert {k: v for k, v in second.items() if k not in changed} == {k: v for k, v in first.items() if k not in changed}


@SIZES
def test_highest_attempt_of_joined_deliveries_is_kept(store: str, reader: Reader, data: bytes) -> None:
    message = pushed(data)
    for attempts in ((2, 5, 3), (6, 9, 7)):
        joined = [*(replace(message, delivery_attempt=attempt) for attempt in attempts), message]
        commit(store, partial(all_saved, messages=joined))
        assert stored(reader, message)["delivery_attempt"] == max(attempts)
    assert stored(reader, message)["deliveries"] == 8


def test_stored_large_message_is_not_written_again(proxy: FaultProxy, store: str) -> None:
    message = pushed(b"x" * 5_000_000)
    commit(store, lambda committer: committer.save(message))
    commit(proxy.address, lambda committer: committer.save(message))
    assert proxy.calls == ["BatchGetDocuments", "BatchWrite"]


def test_client_that_leaves_does_not_cancel_the_shared_commit(proxy: FaultProxy, reader: Reader) -> None:
    leaver, stayer = pushed(), pushed()
    proxy.queue = [slow(0.3), slow(0.3)]

    async def story(committer: GroupCommit) -> None:
        await asyncio.gather(_leave(committer, leaver), committer.save(stayer))

    commit(proxy.address, story)
    assert len(stored_among(reader, [leaver, stayer])) == 2


async def _leave(committer: GroupCommit, message: Pushed) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await committer.save(message)


def test_message_is_never_visible_before_its_chunks(proxy: FaultProxy, reader: Reader) -> None:
    message = pushed(b"x" * (5 * CHUNK_BYTES))
    # 3.75 MiB is four chunks a call: the second call always fails.
    proxy.queue = [lambda forward: forward()]
    proxy.always = failing(grpc.StatusCode.UNAVAILABLE)

    async def story(committer: GroupCommit) -> None:
        with pytest.raises(StoreError):
            await committer.save(message)

    commit(proxy.address, story)
    assert not stored_among(reader, [message])
    proxy.always = lambda forward: forward()
    commit(proxy.address, lambda committer: committer.save(message))
    assert reader.payload(stored(reader, message)) == message.data


@pytest.mark.parametrize(("size", "call"), [(2_000_000, "Commit"), (3_700_000, "BatchWrite")])
def test_small_messages_do_not_wait_for_large_ones(proxy: FaultProxy, size: int, call: str) -> None:
    async def story(committer: GroupCommit) -> None:
        large = asyncio.create_task(committer.save(pushed(b"x" * size)))
        await asyncio.sleep(0.3)
        assert proxy.calls.count(call) == 1, "its chunks are on their way"
        proxy.always = lambda forward: forward()
        async with asyncio.timeout(1):
            await committer.save(pushed())
        assert not large.done()
        await large

    proxy.always = slow(2)
    commit(proxy.address, story)


@pytest.mark.parametrize(("size", "call", "calls"), [(5, "BatchWrite", 1), (20_000, "Commit", 2)])
def test_unanswered_calls_delay_no_other_message(
    proxy: FaultProxy, reader: Reader, size: int, call: str, calls: int
) -> None:
    held = [pushed(os.urandom(size)) for _ in range(calls)]
    others = [pushed(os.urandom(size)) for _ in range(20)]

    async def story(committer: GroupCommit) -> None:
        await committer.save(pushed())  # opens the connection
        proxy.queue, proxy.calls = [slow(4)] * calls, []
        holding = []
        for message in held:
            holding.append(asyncio.create_task(committer.save(message)))
            await asyncio.sleep(0.1)
        async with asyncio.timeout(2):
            await all_saved(committer, others)
        redelivered = [asyncio.create_task(committer.save(message)) for message in held]
        await asyncio.sleep(0.5)
        assert proxy.calls == [call] * (calls + 1), "a message in flight is joined, not sent again"
        assert not any(one.done() for one in holding)
        assert len(stored_among(reader, others)) == len(others)
        await asyncio.gather(*holding, *redelivered)

    commit(proxy.address, story)
    assert [stored(reader, message)["deliveries"] for message in held] == [2] * calls


def test_first_attempt_of_a_large_message_needs_no_lookup(proxy: FaultProxy, reader: Reader) -> None:
    message = pushed(b"x" * 3_700_000, delivery_attempt=1)
    commit(proxy.address, lambda committer: committer.save(message))
    assert proxy.calls == ["BatchWrite", "BatchWrite"]
    commit(proxy.address, lambda committer: committer.save(message))
    assert stored(reader, message)["deliveries"] == 2, "stored already, and seen so by its head"
