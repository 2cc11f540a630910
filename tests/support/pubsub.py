"""Google's clients on a Pub/Sub under test, and a receiver for its pushes."""

import asyncio
import json
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import uvloop
from aiohttp import web
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient  # type: ignore[import-untyped]
from google.pubsub_v1 import PublisherClient as GeneratedPublisherClient
from google.pubsub_v1 import types

from tests.support.waiting import wait_until

PROJECT = "bench"
T = TypeVar("T")


class LoopThread:
    """The local cloud's kind of event loop in a thread, for servers that synchronous tests call."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test loop")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@dataclass(frozen=True)
class Push:
    """One request to a receiver."""

    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def envelope(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = self.envelope["message"]
        return message


@dataclass
class Receiver:
    """Keeps every push and answers it with the status of ``answer`` after ``delay_seconds``."""

    answer: Callable[[Push], int] = lambda _: 204
    delay_seconds: float = 0.0
    url: str = ""
    pushes: list[Push] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application(client_max_size=32 * 1024 * 1024)
        application.router.add_post("/push", self._receive)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/push"

    async def close(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def wait_for(self, count: int, seconds: float = 10.0) -> list[Push]:
        """Wait for ``count`` pushes and return all."""
        sentence = f"there were not {count} pushes"
        wait_until(lambda: len(self.pushes) >= count, sentence, seconds)
        return list(self.pushes)

    async def _receive(self, request: web.Request) -> web.Response:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        push = Push(dict(request.headers), await request.read(), time.monotonic())
        self.pushes.append(push)
        await asyncio.sleep(self.delay_seconds)
        self._now -= 1
        status = self.answer(push)
        return web.Response(status=status, headers={"Location": "/push"} if status in (301, 302, 307, 308) else None)


class Bench:
    """Google's clients on one Pub/Sub. Every call takes new names, so that tests can share a server."""

    def __init__(self, publisher: PublisherClient, subscriber: SubscriberClient) -> None:
        self.publisher = publisher
        self.subscriber = subscriber

    def topic(self) -> str:
        """Create a topic; return its full name."""
        name = f"projects/{PROJECT}/topics/t{uuid4().hex[:12]}"
        self.publisher.create_topic(name=name)
        return name

    def subscription(self, topic: str, **fields: object) -> str:
        """Create a subscription; return its full name."""
        name = subscription_name()
        self.subscriber.create_subscription(request={"name": name, "topic": topic, **fields})
        return name

    def publish(self, topic: str, *messages: Mapping[str, object]) -> list[str]:
        """Publish in one request, exactly as given; return the message ids."""
        # The client's publish() takes one message and batches; this is the method that it calls.
        response = GeneratedPublisherClient.publish(
            self.publisher, request={"topic": topic, "messages": list(messages)}, retry=None
        )
        return list(response.message_ids)

    def pull(self, subscription: str, count: int = 1, seconds: float = 10.0) -> list[types.ReceivedMessage]:
        """Pull until there are ``count`` messages."""
        found: list[types.ReceivedMessage] = []

        def enough() -> bool:
            found.extend(self.pull_now(subscription))
            return len(found) >= count

        wait_until(enough, f"{count} messages of {subscription}", seconds)
        return found

    def pull_now(self, subscription: str, limit: int = 1000) -> Iterable[types.ReceivedMessage]:
        """Pull the messages that are ready."""
        request = {"subscription": subscription, "max_messages": limit, "return_immediately": True}
        with warnings.catch_warnings():
            # Deprecated, because a busy service then returns fewer messages; here it shows an empty queue.
            warnings.simplefilter("ignore", DeprecationWarning)
            return list(self.subscriber.pull(request=request).received_messages)

    def acknowledge(self, subscription: str, messages: Iterable[types.ReceivedMessage]) -> None:
        self.subscriber.acknowledge(subscription=subscription, ack_ids=[one.ack_id for one in messages])

    def set_push(self, subscription: str, url: str) -> None:
        """Set or, with "", clear the push endpoint."""
        self.subscriber.modify_push_config(subscription=subscription, push_config={"push_endpoint": url})


def subscription_name() -> str:
    """Return a full name that no other test uses."""
    return f"projects/{PROJECT}/subscriptions/s{uuid4().hex[:12]}"
