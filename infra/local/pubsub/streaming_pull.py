"""StreamingPull, the method of Google's subscriber library: one stream receives acknowledgements and sends messages."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from google.pubsub_v1 import types

from infra.local.pubsub.backlog import BacklogEntry, State
from infra.local.pubsub.rpc_subscriber import PULL_BYTES, SubscriberMethods, received, refuse_pushing
from infra.local.pubsub.validation import invalid
from infra.local.rpc import Bidirectional

MAX_RESPONSE = 100
MAX_OUTSTANDING = 1000
IDLE_SECONDS = 1.0


class StreamingPull:
    """Implements StreamingPull with the unary methods."""

    def __init__(self, subscriber: SubscriberMethods) -> None:
        self._subscriber = subscriber

    def method(self) -> Bidirectional:
        """Return the row for the method table."""
        return Bidirectional("StreamingPull", types.StreamingPullRequest.pb(), self.stream)

    async def stream(self, requests: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """Send ready messages until the client ends its side."""
        first = await anext(requests)
        subscription = self._subscriber.named(first.subscription)
        refuse_pushing(subscription)
        if not 10 <= first.stream_ack_deadline_seconds <= 600:
            raise invalid("Invalid stream_ack_deadline_seconds: the service takes 10 to 600.")
        limit = first.max_outstanding_messages or MAX_OUTSTANDING
        reading = asyncio.create_task(self._read(first, requests))
        held: list[tuple[BacklogEntry, int]] = []
        try:
            while not reading.done():
                refuse_pushing(subscription)
                held = [(entry, hold) for entry, hold in held if entry.state is State.HELD and entry.holds == hold]
                room = min(limit - len(held), MAX_RESPONSE)
                entries = subscription.lease(room, PULL_BYTES, first.stream_ack_deadline_seconds)
                if entries:
                    held += [(entry, entry.holds) for entry in entries]
                    yield types.StreamingPullResponse.pb()(received_messages=[received(entry) for entry in entries])
                else:
                    # A short wait when the client is full: an acknowledgement makes room but does not end this wait.
                    await subscription.ready(IDLE_SECONDS if room > 0 else 0.02)
            await reading
        finally:
            reading.cancel()

    async def _read(self, first: Any, requests: AsyncIterator[Any]) -> None:
        async for request in requests:
            if request.ack_ids:
                acknowledge = types.AcknowledgeRequest.pb()
                await self._subscriber.acknowledge(
                    acknowledge(subscription=first.subscription, ack_ids=request.ack_ids)
                )
            deadlines = zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True)
            for ack_id, seconds in deadlines:
                modify = types.ModifyAckDeadlineRequest.pb()
                await self._subscriber.modify_ack_deadline(
                    modify(subscription=first.subscription, ack_ids=[ack_id], ack_deadline_seconds=seconds)
                )
