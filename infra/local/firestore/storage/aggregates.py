"""Compute the aggregations of a query: count, sum and average."""

import math
from collections.abc import Iterable, Iterator

from infra.local.firestore.documents.field_paths import parse_path, read
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Pb, Value
from infra.local.firestore.query.parse import Query
from infra.local.firestore.storage.read_views import ReadView

_MAX_AGGREGATIONS = 5
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1


def aggregate(view: ReadView, query: Query, aggregations: Iterable[Pb]) -> Iterator[tuple[str, Pb]]:
    """Yield the alias and value of each aggregation; raises INVALID_ARGUMENT for too many or none."""
    asked = list(aggregations)
    if not 1 <= len(asked) <= _MAX_AGGREGATIONS:
        raise invalid_argument(f"A query has 1 to {_MAX_AGGREGATIONS} aggregations; this one has {len(asked)}.")
    unnamed = 0
    for one in asked:
        unnamed += not one.alias
        yield one.alias or f"field_{unnamed}", _value(view, query, one)


def _value(view: ReadView, query: Query, one: Pb) -> Pb:
    kind = one.WhichOneof("operator")
    if kind == "count":
        up_to = one.count.up_to.value if one.count.HasField("up_to") else None
        if up_to is not None and up_to < 1:
            raise invalid_argument("up_to must be greater than zero.")
        return Value(integer_value=view.count(query, up_to))
    if kind == "sum":
        return _sum(_numbers(view, query, one.sum.field.field_path))
    if kind == "avg":
        numbers = _numbers(view, query, one.avg.field.field_path)
        return Value(double_value=math.fsum(numbers) / len(numbers)) if numbers else Value(null_value=0)
    raise invalid_argument("An aggregation has no operator.")


def _sum(numbers: list[int | float]) -> Pb:
    if all(isinstance(number, int) for number in numbers) and _MIN_INTEGER <= sum(numbers) <= _MAX_INTEGER:
        return Value(integer_value=sum(numbers))
    return Value(double_value=sum(map(float, numbers)))


def _numbers(view: ReadView, query: Query, field_path: str) -> list[int | float]:
    path = parse_path(field_path)
    values = (read(document.pb.fields, path) for document in view.run(query))
    return [number for value in values if (number := _number(value)) is not None]


def _number(value: Pb | None) -> int | float | None:
    kind = value.WhichOneof("value_type") if value is not None else None
    number: int | float | None = getattr(value, kind) if kind in ("integer_value", "double_value") else None
    return number
