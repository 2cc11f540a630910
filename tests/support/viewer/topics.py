"""New topics on the local cloud: a viewer in this process monitors them, and a test pulls their messages."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

from flask import Flask
from google.cloud.firestore_v1 import types
from google.pubsub_v1 import PubsubMessage

from infra.firestore.message_writer import chunk_write, message_write
from infra.messages.chunks import INLINE_BYTES, chunk_count
from infra.messages.message import Pushed
from infra.pubsub.client import PubSub
from infra.settings import ViewerSettings, viewer_settings
from tests.support.local_cloud import Cloud
from tests.support.viewer.visitor import services_of

SOURCE_ATTRIBUTE = "CloudPubSubDeadLetterSourceSubscription"


@dataclass(frozen=True)
class Topics:
    """A topic ``name`` and its dead letters' ``name-dead``, each with a monitored subscription of the same id."""

    settings: ViewerSettings
    pubsub: PubSub
    name: str

    @property
    def dead(self) -> str:
        return f"{self.name}-dead"

    def path(self, topic: str) -> str:
        return f"projects/{self.settings.google_cloud_project}/topics/{topic}"

    def heard(self, count: int = 1, topic: str = "") -> list[PubsubMessage]:
        """Return the next messages of a topic in their order; fail if there are fewer."""
        found: list[PubsubMessage] = []
        name = self.settings.subscription_path(f"{topic or self.name}-heard")
        while len(found) < count:
            reply = self.pubsub.subscriber.pull(
                subscription=name, max_messages=count - len(found), timeout=5, retry=None
            )
            assert reply.received_messages, f"{topic or self.name} has {len(found)} messages, not {count}"
            found += [one.message for one in reply.received_messages]
            acked = [one.ack_id for one in reply.received_messages]
            self.pubsub.subscriber.acknowledge(subscription=name, ack_ids=acked, timeout=5, retry=None)
        return found


@contextmanager
def own_topics(cloud: Cloud) -> Iterator[Topics]:
    """Create topics that no other test uses; remove them afterwards."""
    name = f"test-{uuid4().hex[:8]}"
    own = {"SUBSCRIPTIONS": f"{name},{name}-dead", "PUSH_ENDPOINT": "http://127.0.0.1:9/push", "LOG_LEVEL": "CRITICAL"}
    settings = viewer_settings({**cloud.environ, **own})
    topics = Topics(settings, PubSub(settings), name)
    for topic in (name, topics.dead):
        topics.pubsub.publisher.create_topic(name=topics.path(topic))
        for subscription in (topic, f"{topic}-heard"):
            path = settings.subscription_path(subscription)
            topics.pubsub.subscriber.create_subscription(name=path, topic=topics.path(topic))
    yield topics
    for topic in (name, topics.dead):
        topics.pubsub.publisher.delete_topic(topic=topics.path(topic))
    topics.pubsub.close()


def store(
    app: Flask, subscription: str, data: bytes = b"hello", attributes: Mapping[str, str] | None = None, key: str = ""
) -> Pushed:
    """Store a message as the receiver does."""
    database = services_of(app).database
    pushed = Pushed(
        services_of(app).settings.subscription_path(subscription),
        uuid4().hex[:16],
        datetime.now(UTC),
        data,
        attributes or {},
        key,
    )
    expire_at = datetime.now(UTC) + timedelta(days=1)
    chunks = 0 if len(data) <= INLINE_BYTES else chunk_count(len(data))
    head = message_write(database.root, pushed, chunks=chunks, shards=1, expire_at=expire_at)
    parts = [chunk_write(database.root, pushed.id, index, data, expire_at) for index in range(chunks)]
    request = types.BatchWriteRequest.pb()(database=database.name, writes=[*parts, head])
    reply = database.api.batch_write(request, retry=None, timeout=10, metadata=database.metadata)
    assert not any(one.code for one in type(reply).pb(reply).status), "a write was refused"
    return pushed


class Fields(HTMLParser):
    """The fields of the publish form as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._text: list[str] | None = None
        self._select = ""
        self.feed(page)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.found if key == name]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if tag == "textarea":
            self._text, self._name = [], given["name"]
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and "selected" in given:
            self.found.append((self._select, given["value"]))
        elif tag == "input" and "name" in given and (given.get("type") not in ("radio", "file") or "checked" in given):
            # A browser removes line breaks from an input of one line.
            self.found.append((given["name"], (given.get("value") or "").replace("\r", "").replace("\n", "")))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            # A browser drops the first line break and sends each of the others as CR LF.
            text = "".join(self._text).removeprefix("\n").replace("\r\n", "\n").replace("\r", "\n")
            self.found.append((self._name, text.replace("\n", "\r\n")))
            self._text = None
