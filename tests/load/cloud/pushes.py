"""Pub/Sub delivers at least once: a fraction of the pushes is sent twice, at the same time or a moment later."""

import asyncio
from collections.abc import Mapping
from typing import Any

from infra.local.pubsub.push_delivery import Pusher, PushTarget
from tests.load.cloud.faults import Faults

LATER_SECONDS = 0.5


class DuplicatingPusher(Pusher):
    """Sends the fraction ``faults.duplicates`` of the pushes twice; the first answer counts."""

    def __init__(self, faults: Faults, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._faults = faults
        self._repeats: set[asyncio.Task[int]] = set()

    async def close(self) -> None:
        for repeat in self._repeats:
            repeat.cancel()
        await asyncio.gather(*self._repeats, return_exceptions=True)
        await super().close()

    async def _post(self, body: bytes, target: PushTarget, metadata: Mapping[str, str]) -> int:
        if self._faults.chance.random() < self._faults.duplicates:
            delay = self._faults.chance.choice((0.0, LATER_SECONDS))
            repeat = asyncio.get_running_loop().create_task(self._repeat(body, target, metadata, delay))
            self._repeats.add(repeat)
            repeat.add_done_callback(self._repeats.discard)
        return await super()._post(body, target, metadata)

    async def _repeat(self, body: bytes, target: PushTarget, metadata: Mapping[str, str], delay_seconds: float) -> int:
        await asyncio.sleep(delay_seconds)
        return await super()._post(body, target, metadata)
