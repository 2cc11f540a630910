"""The one form of all queries of messages, as raw protobufs: newest first, so that few composite indexes serve all.

It is ``shard in [0..N-1]`` (+ ``subscription ==``) (+ one ``tokens array_contains`` or ``array_contains_any``), ordered
by ``received_at``.
"""

from collections.abc import Sequence
from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf.wrappers_pb2 import Int32Value

from infra.firestore.encoding import encode

_Query: Any = types.StructuredQuery.pb()
Operator: Any = _Query.FieldFilter.Operator
# Firestore multiplies the values of ``in`` and ``array_contains_any``
# (cloud.google.com/firestore/docs/query-data/queries#limits_on_or_queries).
_MAX_DISJUNCTIONS = 30


def tokens_at_once(shards: int) -> int:
    """Return how many tokens one query can ask for."""
    return max(1, _MAX_DISJUNCTIONS // shards)


def message_query(shards: int, subscription: str, tokens: Sequence[str], limit: int) -> Any:
    """Build the query for messages with any of some tokens.

    An empty subscription is no condition, and neither are no tokens; ``limit`` 0 is none.
    """
    query = _Query()
    query.from_.add(collection_id="messages")
    add_condition(query, "shard", Operator.IN, list(range(shards)))
    if subscription:
        add_condition(query, "subscription", Operator.EQUAL, subscription)
    if len(tokens) == 1:
        add_condition(query, "tokens", Operator.ARRAY_CONTAINS, tokens[0])
    elif tokens:
        add_condition(query, "tokens", Operator.ARRAY_CONTAINS_ANY, list(tokens))
    for name in ("received_at", "__name__"):
        query.order_by.add(direction=types.StructuredQuery.Direction.DESCENDING).field.field_path = name
    if limit:
        query.limit.CopyFrom(Int32Value(value=limit))
    return query


def add_condition(query: Any, field: str, operator: Any, value: Any) -> None:
    """Add a condition on a field that all messages of the result fulfil."""
    query.where.composite_filter.op = _Query.CompositeFilter.Operator.AND
    added = query.where.composite_filter.filters.add().field_filter
    added.field.field_path = field
    added.op = operator
    added.value.CopyFrom(encode(value))
