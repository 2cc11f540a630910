"""Reads stored messages: pages, single messages, payloads, counts, and all messages newer than a cursor.

The order is always (received_at, id), newest first. Pages start at a cursor, never at an offset.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from google.cloud.firestore_v1 import types

from infra.errors import PayloadMaskedError
from infra.firestore.client import Database
from infra.firestore.encoding import decode, decode_message, encode
from infra.firestore.error_mapping import firestore_errors
from infra.firestore.message_query import Operator, add_condition, message_query, tokens_at_once
from infra.firestore.payload_parts import payload_parts, whole_payload
from infra.firestore.read_messages import EPOCH, LazyPage, ReadMessages, earliest_read
from infra.messages.cursor import Cursor
from infra.messages.masking import NO_MASK, Mask
from infra.messages.message import MORE_TOKENS, Message, is_document_id

_RunQuery: Any = types.RunQueryRequest.pb()
_BatchGet: Any = types.BatchGetDocumentsRequest.pb()

READ_SECONDS = 10.0
_WITHHELD = (
    "The payload is not shown to your role: it has masked fields, which can be hidden only in JSON of at most 1 MiB."
)


@dataclass(frozen=True)
class Selection:
    """The messages of a query: of one subscription (empty: all) and with any of some index tokens (none: all).

    A read with tokens also returns every message with more tokens than the index holds; the caller must filter.
    """

    subscription: str = ""
    tokens: tuple[str, ...] = ()

    def parts(self, at_once: int) -> list["Selection"]:
        """Split into one selection for each query, of at most ``at_once`` tokens; a message may match several."""
        if not self.tokens:
            return [self]
        tokens = (*self.tokens, MORE_TOKENS)
        return [replace(self, tokens=tokens[start : start + at_once]) for start in range(0, len(tokens), at_once)]


EVERYTHING = Selection()


class MessageReader:
    """Reads the messages of one database through a mask. ``subscriptions`` are the monitored ones."""

    def __init__(
        self, database: Database, shards: int, subscriptions: Sequence[str] = (), mask: Mask = NO_MASK
    ) -> None:
        self.subscriptions = subscriptions
        self.mask = mask
        self._database = database
        self._shards = shards

    def page(
        self,
        selection: Selection = EVERYTHING,
        *,
        before: Cursor | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> list[Message]:
        """Return up to ``limit`` messages older than ``before`` (None: the newest), newest first.

        Only messages received at or after ``since``. Raises StoreError.
        """
        return self.read_page(selection, before=before, since=since, limit=limit).messages

    def read_page(
        self,
        selection: Selection = EVERYTHING,
        *,
        before: Cursor | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> ReadMessages:
        """Return a page as ``page`` does, with the time of the read. Raises StoreError."""
        read = self.lazy_page(selection, before=before, since=since, limit=limit)
        return ReadMessages(list(read.messages), read.read_at)

    def lazy_page(
        self, selection: Selection, *, before: Cursor | None = None, since: datetime | None = None, limit: int
    ) -> LazyPage:
        """Read a page as ``page`` does; each message passes the mask when it is taken. Raises StoreError."""
        queries = [self.query(part, limit=limit) for part in self._parts(selection)]
        for query in queries:
            if before:
                query.start_at.CopyFrom(self._position(before, before_it=False))
            if since:
                query.end_at.CopyFrom(self._position(Cursor(since, "0" * 32), before_it=False))
        newest = self._unmasked(queries)
        messages = newest.messages[:limit]
        return LazyPage(len(messages), map(self.mask.see, messages), newest.read_at)

    def since(self, after: Cursor, selection: Selection = EVERYTHING, *, limit: int = 500) -> list[Message] | None:
        """Return all messages newer than ``after``, oldest first; None if there are more than ``limit``.

        Reads backwards through the descending index that pages use, so that no ascending one is needed. Raises
        StoreError.
        """
        queries = [self.query(part, limit=limit + 1) for part in self._parts(selection)]
        for query in queries:
            query.end_at.CopyFrom(self._position(after, before_it=True))
        messages = self._unmasked(queries).messages
        return None if len(messages) > limit else list(map(self.mask.see, reversed(messages)))

    def get(self, document: str) -> Message | None:
        """Return one message by its document id; None if it does not exist. Raises StoreError."""
        return next(iter(self.get_many([document])), None)

    def get_many(self, documents: Sequence[str]) -> list[Message]:
        """Return the messages that exist of these document ids, each once, in any order. Raises StoreError."""
        return self.read_many(documents).messages

    def read_many(self, documents: Sequence[str]) -> ReadMessages:
        """Return messages as ``get_many`` does, with the time of the read. Raises StoreError."""
        names = [f"{self._database.root}/messages/{one}" for one in dict.fromkeys(documents) if is_document_id(one)]
        replies = list(self._get(names, READ_SECONDS))
        found = [self.mask.see(decode_message(reply.found)) for reply in replies if reply.HasField("found")]
        return ReadMessages(found, earliest_read(replies))

    def payload(self, message: Message) -> bytes:
        """Return the whole payload, byte for byte except for masked values.

        Raises PayloadMaskedError (403) if the mask hides all, PayloadGoneError (410) if a part is missing, StoreError.
        """
        # A hidden payload is not even read: it may be megabytes.
        visible = (
            None
            if self.mask.withholds(message)
            else self.mask.see_payload(whole_payload(self._database, message), message)
        )
        if visible is None:
            raise PayloadMaskedError(_WITHHELD)
        return visible

    def payload_parts(self, message: Message) -> Iterator[bytes]:
        """Return the payload in parts, of which one is in memory. Raises what ``payload`` raises, perhaps later."""
        if message.chunks > 1 and not self.mask.changes_payloads:
            return payload_parts(self._database, message)
        return iter([self.payload(message)])

    def visible_selection(self, selection: Selection) -> Selection:
        """Drop index tokens on masked fields.

        Otherwise the number of messages examined would reveal the ones that match.
        """
        hidden = any(self.mask.hides_token(token) for token in selection.tokens)
        return replace(selection, tokens=()) if hidden else selection

    def count(
        self,
        selection: Selection = EVERYTHING,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        up_to: int = 10_000,
    ) -> int:
        """Count messages received from ``since`` on and before ``until``, up to ``up_to``.

        Firestore bills one read for each 1,000 messages counted. With more tokens than one query can ask for, a message
        counts once for each query that finds it. Raises StoreError.
        """
        visible, at_once = self.visible_selection(selection), tokens_at_once(self._shards)
        starts = range(0, len(visible.tokens), at_once)
        parts = [replace(visible, tokens=visible.tokens[start : start + at_once]) for start in starts] or [visible]
        return min(up_to, sum(self._count(part, since, until, up_to) for part in parts))

    def _count(self, part: Selection, since: datetime | None, until: datetime | None, up_to: int) -> int:
        request = types.RunAggregationQueryRequest.pb()(parent=self._database.root)
        aggregation = request.structured_aggregation_query
        query = self.query(part, limit=0)
        if since:
            add_condition(query, "received_at", Operator.GREATER_THAN_OR_EQUAL, since)
        if until:
            add_condition(query, "received_at", Operator.LESS_THAN, until)
        aggregation.structured_query.CopyFrom(query)
        aggregation.aggregations.add(alias="messages").count.up_to.value = up_to
        with firestore_errors("counting messages"):
            replies = self._database.api.run_aggregation_query(
                request, retry=None, timeout=READ_SECONDS, metadata=self._database.metadata
            )
            for reply in replies:
                count = type(reply).pb(reply).result.aggregate_fields["messages"]
                return int(str(decode(count)))
        return 0

    def query(self, selection: Selection, *, limit: int) -> Any:
        """Build the raw StructuredQuery of a part of a selection, newest first; ``limit`` 0: unlimited."""
        return message_query(self._shards, selection.subscription, selection.tokens, limit)

    def _parts(self, selection: Selection) -> list[Selection]:
        return self.visible_selection(selection).parts(tokens_at_once(self._shards))

    def _position(self, cursor: Cursor, *, before_it: bool) -> Any:
        position = types.Cursor.pb()(before=before_it)
        position.values.append(encode(cursor.at))
        position.values.add().reference_value = f"{self._database.root}/messages/{cursor.id}"
        return position

    def _unmasked(self, queries: list[Any]) -> ReadMessages:
        """Run the queries and return each message once, newest first, and not masked yet."""
        results = [self._run(query) for query in queries]
        if len(results) == 1:
            return results[0]
        messages = {message.id: message for result in results for message in result.messages}
        newest = sorted(messages.values(), key=lambda message: message.cursor, reverse=True)
        return ReadMessages(newest, min(result.read_at for result in results))

    def _run(self, query: Any) -> ReadMessages:
        request = _RunQuery(parent=self._database.root, structured_query=query)
        messages, read_at = [], EPOCH
        with firestore_errors("reading messages"):
            replies = self._database.api.run_query(
                request, retry=None, timeout=READ_SECONDS, metadata=self._database.metadata
            )
            for reply in map(types.RunQueryResponse.pb, replies):
                read_at = max(read_at, earliest_read([reply]))  # one time for all
                if reply.HasField("document"):
                    messages.append(decode_message(reply.document))
        return ReadMessages(messages, read_at)

    def _get(self, names: list[str], timeout_seconds: float) -> Iterator[Any]:
        if not names:
            return
        request = _BatchGet(database=self._database.name, documents=names)
        with firestore_errors("reading documents"):
            replies = self._database.api.batch_get_documents(
                request, retry=None, timeout=timeout_seconds, metadata=self._database.metadata
            )
            yield from map(types.BatchGetDocumentsResponse.pb, replies)
