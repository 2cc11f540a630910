"""Pub/Sub delivers at least once: a fraction of the pushes is sent twice at the same time."""

import asyncio
from typing import Any

from infra.local.pubsub.push_delivery import Pusher, PushTarget
from tests.load.cloud.faults import Faults


class DuplicatingPusher(Pusher):
    """Sends the fraction ``faults.duplicates`` of the pushes twice; the first answer counts."""

    def __init__(self, faults: Faults, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._faults = faults

    async def _post(self, body: bytes, target: PushTarget) -> int:
        if self._faults.chance.random() >= self._faults.duplicates:
            return await super()._post(body, target)
        first, _ = await asyncio.gather(super()._post(body, target), super()._post(body, target))
        return first
