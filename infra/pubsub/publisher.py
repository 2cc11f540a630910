"""Publishing to the topics of the monitored subscriptions only. The audit records each request and its outcome."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cachetools import TTLCache
from google.pubsub_v1 import types

from infra.errors import InputError, StoreError, SubscopeError, SubscriptionDeniedError, SubscriptionMissingError
from infra.history.audit import Audit
from infra.logs import Logger
from infra.pubsub.client import CALL_SECONDS, PubSub, in_requests, pubsub_errors
from infra.settings import Settings

# cloud.google.com/pubsub/quotas#resource_limits
MAX_DATA_BYTES = 10_000_000
MAX_ATTRIBUTES = 100
MAX_NAME_BYTES = 256
MAX_VALUE_BYTES = 1024
MAX_ORDERING_KEY_BYTES = 1024
_PUBLISH_SECONDS = CALL_SECONDS * 3
# A subscription's topic never changes, but a subscription can be deleted and created again with another topic.
_REMEMBER_SECONDS = 60.0
_MAX_REMEMBERED = 1_000
# Pub/Sub returns this as the topic of a subscription if the topic was deleted.
_DELETED_TOPIC = "_deleted-topic_"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to publish."""

    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""

    @property
    def size_bytes(self) -> int:
        """The approximate size in a request."""
        texts = (*self.attributes, *self.attributes.values(), self.ordering_key)
        return len(self.data) + sum(len(text.encode()) + 16 for text in texts)


@dataclass(frozen=True, slots=True)
class PublishResult:
    """The outcome of publishing several: the ids of the published messages, and the error that stopped the rest."""

    message_ids: tuple[str, ...]
    problem: str = ""


class Topics:
    """The topics of the monitored subscriptions. Subscope publishes to no others."""

    def __init__(self, settings: Settings, pubsub: PubSub) -> None:
        self._settings = settings
        self._pubsub = pubsub
        self._lock = threading.Lock()
        self._known: TTLCache[str, str] = TTLCache(_MAX_REMEMBERED, _REMEMBER_SECONDS)

    def all(self) -> dict[str, tuple[str, ...]]:
        """Return the full topic names, each with its monitored subscriptions. Raises SubscriptionError.

        A subscription that is deleted, or that our service account cannot read, has no topic.
        """
        topics: dict[str, tuple[str, ...]] = {}
        for subscription in self._settings.subscriptions:
            try:
                topic = self.of(subscription)
            except (SubscriptionMissingError, SubscriptionDeniedError):
                continue
            if topic != _DELETED_TOPIC:
                topics[topic] = (*topics.get(topic, ()), subscription)
        return topics

    def of(self, subscription: str) -> str:
        """Return the full topic name of any subscription of this project. Raises SubscriptionError, InputError."""
        with self._lock:
            known = self._known.get(subscription)
        if known:
            return known
        topic = self._read(subscription)
        with self._lock:
            self._known[subscription] = topic
        return topic

    def _read(self, subscription: str) -> str:
        with pubsub_errors(f"reading {subscription}"):
            reply = self._pubsub.subscriber.get_subscription(
                subscription=self._settings.subscription_path(subscription), retry=None, timeout=CALL_SECONDS
            )
        topic: str = reply.topic
        return topic


class Publisher:
    """Publishes for a signed-in user."""

    def __init__(self, topics: Topics, pubsub: PubSub, audit: Audit, log: Logger) -> None:
        self.topics = topics
        self._pubsub = pubsub
        self._audit = audit
        self._log = log

    def publish(
        self, topic: str, outgoing: OutgoingMessage, who: str, what: str = "message.publish", why: str = ""
    ) -> str:
        """Publish one message to a full topic name; return its message id.

        ``what`` and ``why`` go into the audit. Raises InputError (400) naming the field, SubscriptionError,
        StoreError.
        """
        self._check_topic(topic)
        check(outgoing)
        self._audit.record(who, what, _short(topic), _joined("requested", f"{len(outgoing.data)} bytes", why))
        try:
            ids = self._send(topic, [outgoing])
        except SubscopeError as exc:
            self._record_outcome(who, what, topic, _joined(f"failed: {exc}", why))
            raise
        self._record_outcome(who, what, topic, _joined(f"done: message {ids[0]}", why))
        return ids[0]

    def publish_all(
        self, topic: str, messages: Iterable[OutgoingMessage], who: str, what: str, why: str
    ) -> PublishResult:
        """Publish several messages in their order, until one request fails.

        Raises InputError, StoreError before the first request.
        """
        self._check_topic(topic)
        self._audit.record(who, what, _short(topic), _joined("requested", why))
        ids: list[str] = []
        problem = ""
        try:
            for request in requests_of(messages):
                ids += self._send(topic, request)
        except SubscopeError as exc:
            problem = str(exc)
        outcome = f"done: {len(ids)} published" + (f", then failed: {problem}" if problem else "")
        self._record_outcome(who, what, topic, _joined(outcome, why))
        return PublishResult(tuple(ids), problem)

    def _check_topic(self, topic: str) -> None:
        known = self.topics.all()
        if topic not in known:
            raise InputError("topic", f"{topic[:300]!r} is not the topic of a monitored subscription.")

    def _send(self, topic: str, messages: list[OutgoingMessage]) -> list[str]:
        raw = [types.PubsubMessage(data=m.data, attributes=m.attributes, ordering_key=m.ordering_key) for m in messages]
        with pubsub_errors(f"publishing to {_short(topic)}"):
            reply = self._pubsub.publisher.publish(topic=topic, messages=raw, retry=None, timeout=_PUBLISH_SECONDS)
        return list(reply.message_ids)

    def _record_outcome(self, who: str, what: str, topic: str, detail: str) -> None:
        self._log.info(what, who=who, topic=topic)
        try:
            self._audit.record(who, what, _short(topic), detail)
        except StoreError as exc:
            # The message is published: an error now would make the user publish it twice. The audit has the request.
            self._log.error("An outcome is missing in the audit.", what=what, who=who, reason=str(exc))


def check(outgoing: OutgoingMessage) -> None:
    """Raise InputError (400) naming the field if Pub/Sub would refuse the message."""
    if len(outgoing.data) > MAX_DATA_BYTES:
        raise InputError("data", f"has {len(outgoing.data):,} bytes; Pub/Sub takes {MAX_DATA_BYTES:,}.")
    if not outgoing.data and not outgoing.attributes:
        raise InputError("data", "is empty; a message needs data or at least one attribute.")
    if len(outgoing.attributes) > MAX_ATTRIBUTES:
        raise InputError("attributes", f"are {len(outgoing.attributes)}; Pub/Sub takes {MAX_ATTRIBUTES}.")
    for name, value in outgoing.attributes.items():
        _check_attribute(name, value)
    if _size(outgoing.ordering_key, "ordering_key") > MAX_ORDERING_KEY_BYTES:
        raise InputError("ordering_key", f"is longer than {MAX_ORDERING_KEY_BYTES:,} bytes.")


def _check_attribute(name: str, value: str) -> None:
    if not name:
        raise InputError("attributes", f"the value {value[:40]!r} has no name.")
    if name.startswith("goog"):
        raise InputError("attributes", f"{name[:40]!r} begins with goog, which is reserved for Google.")
    if _size(name, "attributes") > MAX_NAME_BYTES:
        raise InputError("attributes", f"the name {name[:40]!r} is longer than {MAX_NAME_BYTES} bytes.")
    if _size(value, "attributes") > MAX_VALUE_BYTES:
        raise InputError("attributes", f"the value of {name[:40]!r} is longer than {MAX_VALUE_BYTES:,} bytes.")


def _size(text: str, where: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as exc:
        raise InputError(where, "holds half of a character, which UTF-8 cannot write.") from exc


def requests_of(messages: Iterable[OutgoingMessage]) -> Iterator[list[OutgoingMessage]]:
    """Check messages and group them, in their order, into requests that Pub/Sub takes. Holds one request in memory."""
    return in_requests(
        map(_checked, messages), lambda message: message.ordering_key, lambda message: message.size_bytes
    )


def _checked(outgoing: OutgoingMessage) -> OutgoingMessage:
    check(outgoing)
    return outgoing


def _short(topic: str) -> str:
    """Return ``topics/T`` of a full name: the form of targets in the audit."""
    return "/".join(topic.split("/")[-2:])


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))
