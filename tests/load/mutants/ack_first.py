"""A receiver that acknowledges before it writes."""

import asyncio

from functions.group_commit import GroupCommit
from infra.messages.message import Pushed
from main import receive

__all__ = ["receive"]
_save = GroupCommit.save
_running: set["asyncio.Task[None]"] = set()


async def _save_later(self: GroupCommit, pushed: Pushed) -> None:
    task = asyncio.get_running_loop().create_task(_save(self, pushed))
    _running.add(task)
    task.add_done_callback(_running.discard)


GroupCommit.save = _save_later  # type: ignore[method-assign]
