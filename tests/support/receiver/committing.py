"""Save messages through a separate committer, on a real Firestore."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.group_commit import GroupCommit
from infra.firestore.client import Database
from infra.firestore.message_writer import MessageWriter
from infra.messages.message import Pushed
from infra.settings import receiver_settings
from tests.support.firestore.reader import Reader
from tests.support.receiver.push import ACCOUNT, AUDIENCE, FULL_SUBSCRIPTION, PROJECT, SUBSCRIPTION

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
PUBLISHED = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
_ids = iter(range(10**9))


def pushed(data: bytes = b"hello", **changed: Any) -> Pushed:
    """Return a message that no other test uses."""
    one = Pushed(FULL_SUBSCRIPTION, f"committer-{next(_ids)}", PUBLISHED, data)
    return replace(one, **changed)


def database_at(address: str) -> Database:
    """Return the database of a local Firestore."""
    environment = {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "PUSH_AUDIENCE": AUDIENCE,
        "PUSH_SERVICE_ACCOUNT": ACCOUNT,
        "SUBSCRIPTIONS": SUBSCRIPTION,
        "FIRESTORE_EMULATOR_HOST": address,
    }
    return Database(receiver_settings(environment))


def commit(address: str, story: Callable[[GroupCommit], Awaitable[None]]) -> None:
    """Run ``story`` with a committer that writes to ``address``."""

    async def run() -> None:
        writer = MessageWriter(database_at(address))
        committer = GroupCommit(writer, shards=4, retention=timedelta(days=7), now=lambda: NOW)
        try:
            async with asyncio.timeout(30):
                await story(committer)
        finally:
            await writer.close()

    asyncio.run(run())


async def outcomes(committer: GroupCommit, messages: list[Pushed]) -> list[BaseException | None]:
    """Save all messages at once; return each exception or None."""
    return await asyncio.gather(*map(committer.save, messages), return_exceptions=True)


async def all_saved(committer: GroupCommit, messages: list[Pushed]) -> None:
    """Save all messages at once, and fail unless all are stored."""
    assert await outcomes(committer, messages) == [None] * len(messages)


def stored(reader: Reader, message: Pushed) -> dict[str, Any]:
    """Return the document of ``message``."""
    return stored_among(reader, [message])[message.message_id]


def stored_among(reader: Reader, messages: Iterable[Pushed]) -> dict[str, dict[str, Any]]:
    """Return the documents of the stored ones of ``messages``, by message id."""
    return reader.messages_of(*(message.message_id for message in messages))
