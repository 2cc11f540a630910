"""Publishes seeded messages: at a rate, or as fast as a window of unanswered requests allows."""

import asyncio
import json
import random
from typing import Any

import grpc
from google.pubsub_v1 import types

_OPTIONS = (("grpc.max_send_message_length", -1), ("grpc.enable_http_proxy", 0))
_PublishRequest: Any = types.PublishRequest.pb()
_PublishResponse: Any = types.PublishResponse.pb()


def payload(seed: int, number: int, size_bytes: int) -> bytes:
    """Return a JSON payload of a size; the same for the same seed and number."""
    begin = json.dumps({"number": number, "status": "SUCCESS", "steps": number % 7})[:-1].encode() + b', "text": "'
    count = max(0, size_bytes - len(begin) - 2)
    text = random.Random(f"{seed}:{number}").randbytes((count + 1) // 2).hex().encode()
    return begin + text[:count] + b'"}'


class Publisher:
    """Publishes to one topic. ``sent`` maps each message id to its number and size."""

    def __init__(self, host: str, topic: str, seed: int) -> None:
        self.sent: dict[str, tuple[int, int]] = {}
        self._topic, self._seed = topic, seed
        self._channel = grpc.aio.insecure_channel(host, options=_OPTIONS)
        self._publish = self._channel.unary_unary(
            "/google.pubsub.v1.Publisher/Publish",
            request_serializer=_PublishRequest.SerializeToString,
            response_deserializer=_PublishResponse.FromString,
        )
        self._next = 0

    async def close(self) -> None:
        await self._channel.close()

    def payload_of(self, message: str) -> bytes:
        """Return what was published under a message id."""
        return payload(self._seed, *self.sent[message])

    async def one(self, size_bytes: int) -> None:
        """Publish one message."""
        number = self._next
        self._next += 1
        request = _PublishRequest(topic=self._topic)
        added = request.messages.add(data=payload(self._seed, number, size_bytes))
        added.attributes["number"] = str(number)
        response = await self._publish(request, timeout=60)
        self.sent[response.message_ids[0]] = (number, size_bytes)

    async def at_rate(self, rate: float, seconds: float, size_bytes: int) -> None:
        """Publish evenly, also while earlier requests wait."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for turn in range(round(rate * seconds)):
                await asyncio.sleep(max(0.0, began + turn / rate - loop.time()))
                tasks.create_task(self.one(size_bytes))

    async def burst(self, count: int, window: int, size_bytes: int) -> None:
        """Publish as fast as ``window`` requests at the same time allow."""
        turns = iter(range(count))

        async def publish_some() -> None:
            for _ in turns:
                await self.one(size_bytes)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(window, count)):
                tasks.create_task(publish_some())
