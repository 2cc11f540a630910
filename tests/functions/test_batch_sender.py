"""The outcome of each message when its shared call fails, for each way to fail."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import grpc
import pytest

from functions.group_commit import GroupCommit
from infra.errors import StoreDeniedError, StoreInvalidError, StoreUnavailableError
from infra.messages.message import Pushed
from tests.support.firestore.fault_proxy import (
    Behaviour,
    FaultProxy,
    changing_the_reply,
    failing,
    losing_the_reply,
    slow,
)
from tests.support.firestore.reader import Reader
from tests.support.receiver.committing import all_saved, commit, outcomes, pushed, stored, stored_among

# Small messages share a BatchWrite, those with chunks a Commit.
PAYLOADS = pytest.mark.parametrize("data", [b"small", b"x" * 50_000], ids=["small", "mid"])
# The envelope refuses such a name; here it stands for any write that Firestore refuses.
POISON = {"a" * 1501: "x"}


def test_failing_count_does_not_fail_a_stored_message(proxy: FaultProxy, store: str, reader: Reader) -> None:
    message = pushed()
    commit(store, lambda committer: committer.save(message))
    proxy.queue = [lambda forward: forward(), failing(grpc.StatusCode.UNAVAILABLE)]
    commit(proxy.address, lambda committer: committer.save(message))
    assert (len(proxy.calls), stored(reader, message)["deliveries"]) == (2, 1)


@pytest.mark.parametrize("code", ["ABORTED", "INTERNAL", "DEADLINE_EXCEEDED", "UNAVAILABLE", "RESOURCE_EXHAUSTED"])
@PAYLOADS
def test_passing_failure_is_tried_again(proxy: FaultProxy, reader: Reader, code: str, data: bytes) -> None:
    message = pushed(data)
    proxy.queue = [failing(grpc.StatusCode[code])]
    commit(proxy.address, lambda committer: committer.save(message))
    assert (len(proxy.calls), stored(reader, message)["deliveries"]) == (2, 1)


@PAYLOADS
def test_lasting_failure_is_given_up_after_three_calls(proxy: FaultProxy, reader: Reader, data: bytes) -> None:
    messages = [pushed(data) for _ in range(3)]
    proxy.always = failing(grpc.StatusCode.RESOURCE_EXHAUSTED)

    async def story(committer: GroupCommit) -> None:
        assert [type(found) for found in await outcomes(committer, messages)] == [StoreUnavailableError] * 3

    commit(proxy.address, story)
    assert len(proxy.calls) == 3
    assert not stored_among(reader, messages)
    assert not any(reader.all("chunks", f"messages/{message.id}") for message in messages)


@PAYLOADS
def test_denied_write_is_not_tried_again(proxy: FaultProxy, data: bytes) -> None:
    proxy.always = failing(grpc.StatusCode.PERMISSION_DENIED)

    async def story(committer: GroupCommit) -> None:
        assert [type(found) for found in await outcomes(committer, [pushed(data)])] == [StoreDeniedError]

    commit(proxy.address, story)
    assert len(proxy.calls) == 1


@PAYLOADS
def test_lost_reply_counts_once(proxy: FaultProxy, reader: Reader, data: bytes) -> None:
    messages = [pushed(data) for _ in range(5)]
    proxy.queue = [losing_the_reply()]
    commit(proxy.address, lambda committer: all_saved(committer, messages))
    found = stored_among(reader, messages)
    assert [found[message.message_id]["deliveries"] for message in messages] == [1] * 5


def test_outage_leaves_no_task_behind(proxy: FaultProxy) -> None:
    proxy.always = failing(grpc.StatusCode.UNAVAILABLE)
    sizes = [b"small", b"x" * 20_000, b"x" * 3_700_000]

    async def story(committer: GroupCommit) -> None:
        for _ in range(3):
            found = await outcomes(committer, [pushed(data) for data in sizes for _ in range(5)])
            assert {type(one) for one in found} == {StoreUnavailableError}
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks()) <= 2, "this one, and one of gRPC's"

    commit(proxy.address, story)


@pytest.mark.parametrize("pauses", [(0.0, 0.2), (0.2, 0.0)], ids=["the first", "the second"])
def test_chunks_without_a_waiter_are_not_sent(proxy: FaultProxy, reader: Reader, pauses: tuple[float, float]) -> None:
    message = pushed(os.urandom(10_000_000), delivery_attempt=1)
    proxy.always = failing(grpc.StatusCode.PERMISSION_DENIED)
    proxy.queue = [failing(grpc.StatusCode.PERMISSION_DENIED, seconds=seconds) for seconds in pauses]

    async def story(committer: GroupCommit) -> None:
        assert [type(found) for found in await outcomes(committer, [message] * 3)] == [StoreDeniedError] * 3
        # Two calls are in flight and one is refused; the third, with the last three chunks, never starts.
        await asyncio.sleep(0.3)
        assert proxy.calls == ["BatchWrite"] * 2

    commit(proxy.address, story)
    proxy.always = lambda forward: forward()
    commit(proxy.address, lambda committer: committer.save(message))
    assert reader.payload(stored(reader, message)) == message.data


def test_cancelled_delivery_keeps_chunks_that_others_need(proxy: FaultProxy, reader: Reader) -> None:
    message = pushed(os.urandom(10_000_000), delivery_attempt=1)
    proxy.queue = [slow(0.6), slow(0.6)]

    async def story(committer: GroupCommit) -> None:
        stayer = asyncio.create_task(committer.save(message))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await committer.save(message)
        await stayer

    commit(proxy.address, story)
    assert proxy.calls == ["BatchWrite"] * 4
    assert reader.payload(stored(reader, message)) == message.data


def test_each_message_of_a_batch_gets_its_own_outcome(proxy: FaultProxy, reader: Reader) -> None:
    good, denied = pushed(), pushed()

    def deny_second(reply: Any) -> None:
        reply.status[1].code = grpc.StatusCode.PERMISSION_DENIED.value[0]

    proxy.always = changing_the_reply(deny_second)

    async def story(committer: GroupCommit) -> None:
        found = await outcomes(committer, [good, denied])
        assert [type(one) for one in found] == [type(None), StoreDeniedError]

    commit(proxy.address, story)
    assert stored_among(reader, [good])


def test_short_reply_acknowledges_only_what_it_names(proxy: FaultProxy) -> None:
    def cut(reply: Any) -> None:
        del reply.status[1:]

    proxy.always = changing_the_reply(cut)

    async def story(committer: GroupCommit) -> None:
        found = await outcomes(committer, [pushed() for _ in range(5)])
        # Each retry names the first of those left: three calls name three.
        assert [type(one) for one in found] == [type(None)] * 3 + [StoreUnavailableError] * 2

    commit(proxy.address, story)


@PAYLOADS
def test_one_invalid_message_is_found_and_its_neighbours_are_stored(store: str, reader: Reader, data: bytes) -> None:
    poison = pushed(data, attributes=POISON)
    messages = [pushed(data) for _ in range(9)]

    async def story(committer: GroupCommit) -> None:
        found = await outcomes(committer, [*messages[:5], poison, *messages[5:]])
        assert [type(one) for one in found] == [type(None)] * 5 + [StoreInvalidError] + [type(None)] * 4

    commit(store, story)
    assert set(stored_among(reader, [*messages, poison])) == {message.message_id for message in messages}


@pytest.mark.parametrize("refused", [frozenset[str](), frozenset({"BatchGetDocuments"})], ids=["asked", "halved"])
def test_shared_commit_stores_the_neighbours_of_stored_and_invalid_messages(
    proxy: FaultProxy, store: str, reader: Reader, refused: frozenset[str]
) -> None:
    old, poison = pushed(os.urandom(20_000)), pushed(os.urandom(20_000), attributes=POISON)
    messages = [pushed(os.urandom(20_000)) for _ in range(9)]
    commit(store, lambda committer: committer.save(old))
    proxy.refused = refused

    async def story(committer: GroupCommit) -> None:
        found = await outcomes(committer, [*messages[:3], poison, *messages[3:7], old, *messages[7:]])
        assert [type(one) for one in found] == [type(None)] * 3 + [StoreInvalidError] + [type(None)] * 7

    commit(proxy.address, story)
    found = stored_among(reader, [*messages, old, poison])
    assert [found[message.message_id]["deliveries"] for message in [old, *messages]] == [2] + [1] * 9
    assert all(reader.payload(found[message.message_id]) == message.data for message in [old, *messages])
    assert poison.message_id not in found
    assert not reader.all("chunks", f"messages/{poison.id}")


def test_messages_of_a_commit_with_lost_reply_are_looked_up_once(proxy: FaultProxy, reader: Reader) -> None:
    messages = [pushed(os.urandom(60_000)) for _ in range(32)]
    proxy.queue = [losing_the_reply()]
    commit(proxy.address, lambda committer: all_saved(committer, messages))
    assert proxy.calls == ["Commit", "Commit", "BatchGetDocuments"]
    found = stored_among(reader, messages)
    assert {found[message.message_id]["deliveries"] for message in messages} == {1}


def test_stored_messages_that_come_again_together_are_counted_and_stay_as_they_are(
    proxy: FaultProxy, store: str, reader: Reader
) -> None:
    messages = [pushed(os.urandom(60_000)) for _ in range(20)]
    commit(store, lambda committer: all_saved(committer, messages))
    before = stored_among(reader, messages)
    again = [replace(message, delivery_attempt=2) for message in messages]
    commit(proxy.address, lambda committer: all_saved(committer, again))
    assert proxy.calls == ["Commit", "BatchGetDocuments", "BatchWrite"]
    after = stored_among(reader, messages)
    for message in messages:
        old, new = before[message.message_id], after[message.message_id]
        assert (new["deliveries"], new["received_at"]) == (2, old["received_at"])
        assert reader.payload(new) == message.data


def lost(code: str) -> Behaviour:
    return losing_the_reply(grpc.StatusCode[code])


def refused(code: str) -> Behaviour:
    return failing(grpc.StatusCode[code])


@pytest.mark.parametrize("size", [20_000, 1_000_000, 3_600_000])
@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "PERMISSION_DENIED"])
@pytest.mark.parametrize("fault", [lost, refused])
def test_fault_leaves_a_message_with_all_chunks_or_nothing(
    proxy: FaultProxy, reader: Reader, fault: Callable[[str], Behaviour], code: str, size: int
) -> None:
    message = pushed(os.urandom(size))
    # The reply is lost once; then Firestore refuses each time.
    proxy.queue = [fault(code)]
    proxy.always = fault(code)
    commit(proxy.address, lambda committer: _save_ignoring_errors(committer, message))
    found = stored_among(reader, [message]).get(message.message_id)
    parts = reader.all("chunks", f"messages/{message.id}")
    if fault is refused:
        assert (found, parts) == (None, {})
    else:
        assert found
        assert (len(parts), reader.payload(found)) == (found["chunks"], message.data)
    proxy.always = lambda forward: forward()
    commit(proxy.address, lambda committer: committer.save(message))
    assert reader.payload(stored(reader, message)) == message.data


async def _save_ignoring_errors(committer: GroupCommit, message: Pushed) -> None:
    await outcomes(committer, [message])


@pytest.mark.slow
def test_observer_never_sees_a_part_of_a_message(store: str, reader: Reader) -> None:
    messages = [pushed(os.urandom(1_000_000)) for _ in range(12)]
    whole: set[str] = set()

    def look() -> None:
        missing = [message for message in messages if message.message_id not in whole]
        for message in missing:
            parts = reader.all("chunks", f"messages/{message.id}")
            assert len(parts) in (0, 2)
            if parts:
                assert stored_among(reader, [message]), "chunks without their message"
        for message_id, stored_message in stored_among(reader, missing).items():
            assert len(reader.payload(stored_message)) == 1_000_000, "a message without its chunks"
            whole.add(message_id)

    async def story(committer: GroupCommit) -> None:
        saving = asyncio.gather(*(_late(committer, message, n / 20) for n, message in enumerate(messages)))
        while not saving.done():
            await asyncio.to_thread(look)
        await saving

    commit(store, story)
    look()
    assert len(whole) == len(messages)


async def _late(committer: GroupCommit, message: Pushed, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await committer.save(message)
