"""The ledger: the state of every message by the journal of the local cloud, kept while the journal grows.

Pure. It knows the stored form of a message from docs/design.md, and uses none of the code that writes or reads it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Published:
    """One published message."""

    at: float
    bytes: int
    sha256: str
    acknowledged_at: float | None = None
    dead_lettered: bool = False


@dataclass(slots=True)
class Document:
    """One stored message document: digests of its data or of its chunks, by their index."""

    message: str
    at: float
    deliveries: int
    data: dict[str, Any] | None
    chunk_count: int


@dataclass
class Second:
    """The events since the last look: counts, and how long the acknowledged pushes took."""

    published: int = 0
    acknowledged: int = 0
    refused: int = 0
    push_seconds: list[float] = field(default_factory=list)


class Ledger:
    """Takes the journal's events in their order."""

    def __init__(self, topic: str, subscription: str) -> None:
        self.topic, self.subscription = topic, subscription
        self.published: dict[str, Published] = {}
        self.documents: dict[str, Document] = {}
        self.chunks: dict[str, dict[int, dict[str, Any]]] = {}
        self.by_message: dict[str, list[str]] = {}
        self.statuses: Counter[int] = Counter()
        # Time of the answer, message, and seconds of each acknowledged push.
        self.pushes: list[tuple[float, str, float]] = []
        self.refusal_seconds: list[float] = []
        self.events: Counter[str] = Counter()
        self.keys_fetched_at = 0.0
        self.writes: Counter[str] = Counter()
        self.endpoints: list[tuple[float, str]] = []
        self.acknowledged_unstored: list[str] = []
        self._backlog = 0
        self._pushed: dict[tuple[str, int], float] = {}
        self._second = Second()

    @property
    def backlog(self) -> int:
        """The messages that are neither acknowledged nor dead-lettered."""
        return self._backlog

    def take(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Add events."""
        for event in events:
            kind = event["event"]
            self.events[kind] += 1
            if kind in ("stored", "changed", "deleted"):
                self._store(event)
            elif kind == "certificates_fetched":
                self.keys_fetched_at = event["at"]
            elif event.get("topic", self.topic) == self.topic and kind == "published":
                self._publish(event)
            elif event.get("subscription") == self.subscription:
                self._deliver(event)

    def second(self) -> Second:
        """Return what came since the last call."""
        done, self._second = self._second, Second()
        return done

    def is_stored(self, message: str) -> bool:
        """Tell whether a document of the message is visible with all its chunks."""
        return any(self._is_complete(name) for name in self.by_message.get(message, ()))

    def _is_complete(self, name: str) -> bool:
        return len(self.chunks.get(name, ())) >= self.documents[name].chunk_count

    def _publish(self, event: Mapping[str, Any]) -> None:
        self.published[event["message"]] = Published(event["at"], event["bytes"], event["sha256"])
        self._second.published += 1
        self._backlog += 1

    def _deliver(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "pushed":
                self._pushed[event["message"], event["push"]] = event["at"]
            case "answered":
                self._answer(event)
            case "acknowledged":
                self._acknowledge(event["message"], event["at"])
            case "dead_lettered":
                self.published[event["message"]].dead_lettered = True
                self._backlog -= 1
            case "configured":
                self.endpoints.append((event["at"], event["push_endpoint"]))

    def _answer(self, event: Mapping[str, Any]) -> None:
        began = self._pushed.pop((event["message"], event["push"]), event["at"])
        self.statuses[event["status"]] += 1
        if event["status"] == 204:
            self.pushes.append((event["at"], event["message"], event["at"] - began))
            self._second.push_seconds.append(event["at"] - began)
        else:
            self.refusal_seconds.append(event["at"] - began)
            self._second.refused += 1

    def _acknowledge(self, message: str, at: float) -> None:
        self.published[message].acknowledged_at = at
        self._second.acknowledged += 1
        self._backlog -= 1
        if not self.is_stored(message):
            self.acknowledged_unstored.append(message)

    def _store(self, event: Mapping[str, Any]) -> None:
        collection, _, rest = event["path"].partition("/")
        self.writes[collection] += 1
        if collection != "messages":
            return
        name, _, chunk = rest.partition("/chunks/")
        if event["event"] == "deleted":
            self.documents.pop(name, None)
        elif chunk:
            self.chunks.setdefault(name, {})[int(chunk)] = event["fields"]["data"]
        else:
            self._store_head(name, event)

    def _store_head(self, name: str, event: Mapping[str, Any]) -> None:
        fields = event["fields"]
        known = self.documents.get(name)
        if not known:
            self.by_message.setdefault(fields["message_id"], []).append(name)
        at = known.at if known else event["at"]
        self.documents[name] = Document(
            fields["message_id"], at, fields["deliveries"], fields.get("data"), fields["chunks"]
        )
