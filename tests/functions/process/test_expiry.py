"""A message stays readable while Firestore deletes expired documents, in any order."""

import asyncio
import os
from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore_v1 import types

from infra.errors import PayloadGoneError
from infra.firestore.message_reader import MessageReader
from infra.firestore.message_writer import MessageWriter
from tests.support.firestore.reader import Reader
from tests.support.receiver.committing import NOW, commit, database_at, pushed, stored

_Write: Any = types.Write.pb()


@pytest.mark.parametrize("size", [20_000, 2_000_000, 4_000_000])
def test_message_expires_a_day_before_its_chunks(store: str, reader: Reader, size: int) -> None:
    message = pushed(os.urandom(size))
    commit(store, lambda committer: committer.save(message))
    assert stored(reader, message)["expire_at"] == NOW + timedelta(days=7)
    parts = reader.all("chunks", f"messages/{message.id}")
    assert {part["expire_at"] for part in parts.values()} == {NOW + timedelta(days=8)}


def test_payload_with_a_hole_is_no_payload(store: str) -> None:
    message, database = pushed(os.urandom(2_000_000)), database_at(store)
    commit(store, lambda committer: committer.save(message))

    async def delete_a_chunk() -> None:
        writer = MessageWriter(database)
        await writer.batch_write([_Write(delete=f"{database.root}/messages/{message.id}/chunks/0001")], 5)
        await writer.close()

    messages = MessageReader(database, shards=4)
    found = messages.get(message.id)
    assert found
    assert messages.payload(found) == message.data
    asyncio.run(delete_a_chunk())
    with pytest.raises(PayloadGoneError, match=r"1 of 3 parts of message .* are gone; it is expiring"):
        messages.payload(found)
    database.close()
