"""Read a Firestore as an outside observer."""

from collections.abc import Sequence
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

from infra.firestore.encoding import decode_fields
from tests.support.receiver.push import PROJECT

# Options of a channel for requests and replies of any size, and the emulators' own credentials.
ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
OWNER = (("authorization", "Bearer owner"),)
MAX_IN_VALUES = 30  # cloud.google.com/firestore/quotas: disjunctions of a query
ROOT_NAME = f"projects/{PROJECT}/databases/(default)/documents"


_RunQueryRequest: Any = types.RunQueryRequest.pb()


_RunQueryResponse: Any = types.RunQueryResponse.pb()


class Reader:
    """Reads a Firestore by raw queries, without the product's reading code."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, options=ANY_SIZE)
        self._query: grpc.UnaryStreamMultiCallable[Any, Any] = self._channel.unary_stream(
            "/google.firestore.v1.Firestore/RunQuery",
            lambda request: request.SerializeToString(),
            _RunQueryResponse.FromString,
        )

    def close(self) -> None:
        self._channel.close()

    def all(self, collection: str, parent: str = "") -> dict[str, dict[str, Any]]:
        """Return every document of a collection by id."""
        request = _RunQueryRequest(parent=f"{ROOT_NAME}/{parent}".rstrip("/"))
        request.structured_query.from_.add().collection_id = collection
        replies = self._query(request, timeout=30, metadata=OWNER)
        found = [reply.document for reply in replies if reply.HasField("document")]
        return {document.name.rpartition("/")[2]: decode_fields(document) for document in found}

    def versions(self, collection: str) -> dict[str, tuple[int, int]]:
        """Return the time of the last write (seconds, nanos) of every document of a collection, without its fields."""
        request = _RunQueryRequest(parent=ROOT_NAME)
        request.structured_query.from_.add().collection_id = collection
        request.structured_query.select.fields.add(field_path="__name__")
        replies = self._query(request, timeout=30, metadata=OWNER)
        documents = [reply.document for reply in replies if reply.HasField("document")]
        return {
            document.name.rpartition("/")[2]: (document.update_time.seconds, document.update_time.nanos)
            for document in documents
        }

    def messages_of(self, *message_ids: str) -> dict[str, dict[str, Any]]:
        """Return the stored messages with these Pub/Sub message ids, by message id."""
        found: dict[str, dict[str, Any]] = {}
        for first in range(0, len(message_ids), MAX_IN_VALUES):
            found |= self._messages_in(message_ids[first : first + MAX_IN_VALUES])
        return found

    def _messages_in(self, message_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        request = _RunQueryRequest(parent=ROOT_NAME)
        request.structured_query.from_.add().collection_id = "messages"
        condition = request.structured_query.where.field_filter
        condition.field.field_path, condition.op = "message_id", types.StructuredQuery.FieldFilter.Operator.IN
        for message_id in message_ids:
            condition.value.array_value.values.add(string_value=message_id)
        replies = self._query(request, timeout=30, metadata=OWNER)
        documents = [reply.document for reply in replies if reply.HasField("document")]
        found = {document.name.rpartition("/")[2]: decode_fields(document) for document in documents}
        return {fields["message_id"]: {"id": name, **fields} for name, fields in found.items()}

    def messages(self) -> dict[str, dict[str, Any]]:
        """Return every stored message by its Pub/Sub message id."""
        return {fields["message_id"]: {"id": name, **fields} for name, fields in self.all("messages").items()}

    def payload(self, message: dict[str, Any]) -> bytes:
        """Return the whole payload of one of ``messages()``."""
        if not message["chunks"]:
            data: bytes = message["data"]
            return data
        chunks = self.all("chunks", f"messages/{message['id']}")
        return b"".join(chunks[name]["data"] for name in sorted(chunks))
