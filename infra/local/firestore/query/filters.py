"""Filters of a query: parse the tree of comparisons, match documents, and build the disjunctive normal form.

One index can answer each disjunct of the normal form; the service runs ``or`` and ``in`` in the same way.
"""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

from infra.local.firestore.documents.field_paths import NAME, FieldPath, parse_path
from infra.local.firestore.documents.names import compared_path_in
from infra.local.firestore.documents.stored import Stored, name_key
from infra.local.firestore.documents.value_order import ARRAY, NAN_KEY, NULL_KEY, Key, key_of
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Pb, StructuredQuery

_MAX_DISJUNCTS = 30
_MAX_NOT_IN = 10

INEQUALITIES = frozenset({"LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL"})
# Filters that fix an order on their field (firebase.google.com/docs/firestore/query-data/order-limit-data).
ORDERING = INEQUALITIES | {"NOT_EQUAL", "NOT_IN"}


class Comparison(NamedTuple):
    """One field compared with one operand; ``IN`` and similar operators have several keys, the others one."""

    field: FieldPath
    operator: str
    keys: tuple[Key, ...]

    def matches(self, document: Stored) -> bool:
        key = document.key(self.field)
        return key is not None and _MATCHES[self.operator](key, self.keys)


class Composite(NamedTuple):
    """``every`` means AND, otherwise OR."""

    every: bool
    parts: tuple["Filter", ...]

    def matches(self, document: Stored) -> bool:
        if self.every:
            return all(part.matches(document) for part in self.parts)
        return any(part.matches(document) for part in self.parts)


Filter = Comparison | Composite
EVERYTHING = Composite(True, ())


def _same_type(key: Key, keys: tuple[Key, ...]) -> bool:
    return bool(key[0] == keys[0][0])


def _contains(key: Key, keys: tuple[Key, ...]) -> bool:
    return key[0] == ARRAY and any(one in key[1] for one in keys)


_MATCHES: dict[str, Callable[[Key, tuple[Key, ...]], bool]] = {
    "EQUAL": lambda key, keys: key == keys[0],
    "NOT_EQUAL": lambda key, keys: key not in (NULL_KEY, keys[0]),
    "LESS_THAN": lambda key, keys: _same_type(key, keys) and key < keys[0],
    "LESS_THAN_OR_EQUAL": lambda key, keys: _same_type(key, keys) and key <= keys[0],
    "GREATER_THAN": lambda key, keys: _same_type(key, keys) and key > keys[0],
    "GREATER_THAN_OR_EQUAL": lambda key, keys: _same_type(key, keys) and key >= keys[0],
    "IN": lambda key, keys: key in keys,
    "NOT_IN": lambda key, keys: key != NULL_KEY and NULL_KEY not in keys and key not in keys,
    "ARRAY_CONTAINS": _contains,
    "ARRAY_CONTAINS_ANY": _contains,
}
_UNARY = {
    "IS_NAN": ("EQUAL", NAN_KEY),
    "IS_NULL": ("EQUAL", NULL_KEY),
    "IS_NOT_NAN": ("NOT_EQUAL", NAN_KEY),
    "IS_NOT_NULL": ("NOT_EQUAL", NULL_KEY),
}
_SEVERAL = frozenset({"IN", "NOT_IN", "ARRAY_CONTAINS_ANY"})
_EACH_OF = {"IN": "EQUAL", "ARRAY_CONTAINS_ANY": "ARRAY_CONTAINS"}


def parse_filter(pb: Pb, database: str) -> Filter:
    """Parse a ``StructuredQuery.Filter``; raises INVALID_ARGUMENT where the service does."""
    kind = pb.WhichOneof("filter_type")
    if kind == "composite_filter":
        return _composite(pb.composite_filter, database)
    if kind == "field_filter":
        return _comparison(pb.field_filter, database)
    if kind == "unary_filter":
        operator, key = _UNARY.get(_name_of(StructuredQuery.UnaryFilter.Operator, pb.unary_filter.op), ("", ()))
        if not operator:
            raise invalid_argument("A unary filter has no operator.")
        return Comparison(parse_path(pb.unary_filter.field.field_path), operator, (key,))
    raise invalid_argument("A filter is empty.")


def _name_of(enum: Pb, number: int) -> str:
    name: str = enum.Name(number) if number in enum.values() else ""
    return name


def _composite(pb: Pb, database: str) -> Filter:
    operator = _name_of(StructuredQuery.CompositeFilter.Operator, pb.op)
    if operator not in ("AND", "OR"):
        raise invalid_argument("A composite filter has no operator.")
    if not pb.filters:
        raise invalid_argument("A composite filter has no parts.")
    return Composite(operator == "AND", tuple(parse_filter(part, database) for part in pb.filters))


def _comparison(pb: Pb, database: str) -> Filter:
    operator = _name_of(StructuredQuery.FieldFilter.Operator, pb.op)
    if operator not in _MATCHES:
        raise invalid_argument(f"The filter on {pb.field.field_path!r} has no operator.")
    field = parse_path(pb.field.field_path)
    operands = [pb.value]
    if operator in _SEVERAL:
        operands = list(pb.value.array_value.values)
        _check_several(operator, operands)
    if field == NAME:
        return Comparison(field, operator, tuple(name_operand(value, database) for value in operands))
    return Comparison(field, operator, tuple(dict.fromkeys(key_of(value) for value in operands)))


def _check_several(operator: str, operands: list[Pb]) -> None:
    if not operands:
        raise invalid_argument(f"{operator} needs a non-empty array.")
    most = _MAX_NOT_IN if operator == "NOT_IN" else _MAX_DISJUNCTS
    if len(operands) > most:
        raise invalid_argument(f"{operator} has {len(operands)} values; the service allows {most}.")


def name_operand(value: Pb, database: str) -> Key:
    """Return the key for a comparison with ``__name__``: the path of a reference in the same database."""
    if not value.HasField("reference_value"):
        raise invalid_argument("__name__ can only be compared with a reference to a document.")
    return name_key(compared_path_in(database, value.reference_value))


def disjuncts(part: Filter) -> list[tuple[Comparison, ...]]:
    """Return the disjunctive normal form: a document matches ``part`` if it matches all comparisons of one tuple."""
    if isinstance(part, Comparison):
        each = _EACH_OF.get(part.operator)
        return [(Comparison(part.field, each, (key,)),) for key in part.keys] if each else [(part,)]
    forms = [disjuncts(one) for one in part.parts]
    if not part.every:
        return _limited([form for several in forms for form in several])
    result: list[tuple[Comparison, ...]] = [()]
    for several in forms:
        result = _limited([left + right for left, right in product(result, several)])
    return result


def _limited(forms: list[tuple[Comparison, ...]]) -> list[tuple[Comparison, ...]]:
    unique = list(dict.fromkeys(forms))
    if len(unique) > _MAX_DISJUNCTS:
        raise invalid_argument(f"The query has more than {_MAX_DISJUNCTS} disjunctions after normalisation.")
    return unique


def comparisons(part: Filter) -> list[Comparison]:
    """Return every comparison of the tree, in order."""
    if isinstance(part, Comparison):
        return [part]
    return [found for one in part.parts for found in comparisons(one)]
