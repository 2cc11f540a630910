"""Firestore's order of values, as Python tuples that compare and hash like the service's values.

The order of types is null, boolean, number, timestamp, string, bytes, reference, geopoint, array, vector, map
(firebase.google.com/docs/firestore/manage-data/data-types#value_type_ordering). Equal keys mean equal values: integers
and doubles are one type, and NaN equals itself and is the least number.
"""

from collections.abc import Callable
from typing import Any

from infra.local.firestore.protos import Pb

# (rank of the type, the key within the type…)
Key = tuple[Any, ...]

NULL, BOOLEAN, NUMBER, TIMESTAMP, STRING, BYTES, REFERENCE, GEO_POINT, ARRAY, VECTOR, MAP = range(11)
NULL_KEY: Key = (NULL,)
# Shorter than any other number's key, so it sorts first.
NAN_KEY: Key = (NUMBER,)


def key_of(value: Pb) -> Key:
    """Return the sort key of a ``google.firestore.v1.Value``."""
    return _KEYS[value.WhichOneof("value_type")](value)


def is_vector(value: Pb) -> bool:
    """Tell whether a map value is a vector: a map with ``__type__: __vector__``."""
    fields = value.map_value.fields
    return "__type__" in fields and fields["__type__"].string_value == "__vector__"


def _double(value: Pb) -> Key:
    number = value.double_value
    return NAN_KEY if number != number else (NUMBER, number)


def _timestamp(value: Pb) -> Key:
    timestamp = value.timestamp_value
    return (TIMESTAMP, timestamp.seconds, timestamp.nanos)


def _geo_point(value: Pb) -> Key:
    point = value.geo_point_value
    return (GEO_POINT, point.latitude, point.longitude)


def _array(value: Pb) -> Key:
    return (ARRAY, tuple([_KEYS[item.WhichOneof("value_type")](item) for item in value.array_value.values]))


def _map(value: Pb) -> Key:
    if is_vector(value):
        numbers = tuple(key_of(item) for item in value.map_value.fields["value"].array_value.values)
        return (VECTOR, len(numbers), numbers)
    return (MAP, tuple(sorted((name, key_of(item)) for name, item in value.map_value.fields.items())))


_KEYS: dict[str | None, Callable[[Pb], Key]] = {
    None: lambda value: NULL_KEY,
    "null_value": lambda value: NULL_KEY,
    "boolean_value": lambda value: (BOOLEAN, value.boolean_value),
    "integer_value": lambda value: (NUMBER, value.integer_value),
    "double_value": _double,
    "timestamp_value": _timestamp,
    # Python compares code points, which is the order of UTF-8 bytes.
    "string_value": lambda value: (STRING, value.string_value),
    "bytes_value": lambda value: (BYTES, value.bytes_value),
    "reference_value": lambda value: (REFERENCE, tuple(value.reference_value.split("/"))),
    "geo_point_value": _geo_point,
    "array_value": _array,
    "map_value": _map,
}
