"""The Listen RPC: one stream, several targets, and the messages that keep a client's copy consistent.

A target is added (ADD), its documents follow, then CURRENT. Whenever the whole stream is consistent, a NO_CHANGE
without target ids carries the time; from then on each commit's changes go out together, with such a snapshot behind.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from infra.local.firestore.documents.stored import Change, Commit
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Pb
from infra.local.firestore.rpc.listen_outbox import DocumentMessage, Outbox, target_change
from infra.local.firestore.rpc.listen_targets import Effects, Target, parse_target
from infra.local.firestore.storage.clock import get_time
from infra.local.firestore.storage.run_query import Earlier
from infra.local.firestore.storage.store import Store, StoredDatabase
from infra.local.journal import Journal
from infra.local.rpc import RpcError


class Listening:
    """The Listen handler. An idle stream gets an empty snapshot every ``heartbeat_seconds``, as from the service."""

    def __init__(self, store: Store, heartbeat_seconds: float, journal: Journal) -> None:
        self._store = store
        self._heartbeat_seconds = heartbeat_seconds
        self._journal = journal

    async def listen(self, requests: AsyncIterator[Pb]) -> AsyncGenerator[Pb, None]:
        self._journal.write("listen_opened")
        outbox = Outbox()
        stream = Stream(self._store, outbox)
        reader = asyncio.create_task(_read(requests, stream))
        reader.add_done_callback(outbox.reading_ended)
        try:
            async for response in outbox.responses(self._heartbeat_seconds):
                if response is not None:
                    yield response
                elif stream.targets:
                    yield stream.snapshot()
        finally:
            self._journal.write("listen_closed")
            stream.close()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)


async def _read(requests: AsyncIterator[Pb], stream: "Stream") -> None:
    async for request in requests:
        stream.handle(request)


class Stream:
    """The targets of one stream, and the messages that were sent for them."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox
        self._database: StoredDatabase | None = None
        self.targets: dict[int, Target] = {}

    def close(self) -> None:
        if self._database is not None:
            self._database.listeners.discard(self._on_commit)

    def snapshot(self) -> Pb:
        """Return the message that all targets are consistent as of the current time."""
        return target_change("NO_CHANGE", time=self._store.clock.read())

    def handle(self, request: Pb) -> None:
        """Process one ListenRequest; raises RpcError when the stream cannot continue."""
        database = self._listen_to(request.database)
        kind = request.WhichOneof("target_change")
        if kind == "add_target":
            self._add(database, request.add_target)
        elif kind == "remove_target" and self.targets.pop(request.remove_target, None):
            self._outbox.put(target_change("REMOVE", (request.remove_target,)))

    def _listen_to(self, name: str) -> StoredDatabase:
        if self._database is None:
            self._database = self._store.database(name)
            self._database.listeners.add(self._on_commit)
        if self._database.name != name:
            raise invalid_argument(f"The stream listens to {self._database.name}; the request names {name!r}.")
        return self._database

    def _add(self, database: StoredDatabase, pb: Pb) -> None:
        target_id = pb.target_id or max(self.targets, default=0) + 1
        if target_id in self.targets:
            raise invalid_argument(f"The stream already has a target {target_id}.")
        try:
            target = parse_target(pb, database)
        except RpcError as refusal:
            self._refuse(target_id, refusal)
            return
        self._outbox.put(target_change("ADD", (target_id,)))
        for told in self._messages({target_id: self._first(database, target_id, target, _resume_time(pb))}):
            self._outbox.put(told)
        self._outbox.put(target_change("CURRENT", (target_id,), self._store.clock.read()))
        self._outbox.put(self.snapshot())
        if pb.once:
            self._outbox.put(target_change("REMOVE", (target_id,)))
        else:
            self.targets[target_id] = target

    def _first(self, database: StoredDatabase, target_id: int, target: Target, resume_time: int | None) -> Effects:
        """Return the changes that bring the client's copy to the target's documents."""
        if resume_time is None:
            return target.start()
        earlier = database.journal.before(resume_time)
        if earlier is None:
            self._outbox.put(target_change("RESET", (target_id,)))
            return target.start()
        target.resume(earlier)
        return target.effects(_missed(database, earlier))

    def _refuse(self, target_id: int, refusal: RpcError) -> None:
        response = target_change("REMOVE", (target_id,))
        response.target_change.cause.code = refusal.code.value[0]
        response.target_change.cause.message = refusal.details
        self._outbox.put(response)

    def _on_commit(self, commit: Commit) -> None:
        effects = {target_id: target.effects(commit) for target_id, target in self.targets.items()}
        messages = self._messages(effects)
        for told in messages:
            self._outbox.put_change(told)
        if messages:
            self._outbox.put(target_change("NO_CHANGE", time=commit.time))
        if self._outbox.failed:
            self.close()

    def _messages(self, effects: dict[int, Effects]) -> list[DocumentMessage]:
        """Return one message for each document, also when several targets contain it."""
        assert self._database is not None
        time = self._store.clock.read()
        messages: list[DocumentMessage] = []
        for path in dict.fromkeys(path for one in effects.values() for path in one):
            inside = tuple(target_id for target_id, one in effects.items() if one.get(path))
            outside = tuple(target_id for target_id, one in effects.items() if path in one and not one[path])
            name = f"{self._database.name}/documents/{path}"
            messages.append(DocumentMessage(name, self._database.documents.get(path), inside, outside, time))
        return messages


def _resume_time(pb: Pb) -> int | None:
    """Return the time of the client's copy in microseconds; None when it has no copy."""
    kind = pb.WhichOneof("resume_type")
    if kind == "read_time":
        return get_time(pb.read_time)
    return int.from_bytes(pb.resume_token[:8], "big") if pb.resume_token else None


def _missed(database: StoredDatabase, earlier: Earlier) -> Commit:
    """Return all changes since the resume point as one commit."""
    documents = database.documents
    changes = (Change(path, old, documents.get(path)) for path, old in earlier.items())
    return Commit(0, tuple(change for change in changes if change.old is not change.new))
