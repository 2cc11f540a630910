"""Apply field transforms: a write computes a value from the stored one.

The rules are those of ``google.firestore.v1.DocumentTransform.FieldTransform``.
"""

from collections.abc import Callable, Iterable

from infra.local.firestore.documents.field_paths import parse_path, read, write
from infra.local.firestore.documents.value_order import NAN_KEY, NUMBER, key_of
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Pb, Value
from infra.local.firestore.storage.clock import put_time

_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1
_NULL = Value(null_value=0)


def transform(fields: Pb, transforms: Iterable[Pb], request_time: int) -> list[Pb]:
    """Apply ``transforms`` in order to a map of fields; return the value the reply shows for each.

    ``request_time`` is in microseconds; the service stores it in milliseconds.
    """
    results: list[Pb] = []
    for one in transforms:
        path = parse_path(one.field_path)
        stored, shown = _apply(one, read(fields, path), request_time)
        write(fields, path, stored)
        results.append(shown)
    return results


def _apply(one: Pb, current: Pb | None, request_time: int) -> tuple[Pb, Pb]:
    kind = one.WhichOneof("transform_type")
    if kind == "set_to_server_value":
        value = Value()
        put_time(value.timestamp_value, request_time - request_time % 1000)
        return value, value
    if kind in _NUMERIC:
        operand = getattr(one, kind)
        if key_of(operand)[0] != NUMBER:
            raise invalid_argument(f"The {kind} of {one.field_path!r} is not a number.")
        value = _NUMERIC[kind](current, operand) if _is_number(current) else operand
        return value, value
    if kind in _ARRAYS:
        present = current.array_value.values if current is not None and current.HasField("array_value") else ()
        return _ARRAYS[kind](present, getattr(one, kind).values), _NULL
    raise invalid_argument(f"The transform of {one.field_path!r} has no operation.")


def _is_number(value: Pb | None) -> bool:
    return value is not None and key_of(value)[0] == NUMBER


def _increment(current: Pb, operand: Pb) -> Pb:
    if current.HasField("integer_value") and operand.HasField("integer_value"):
        # The service saturates instead of overflowing.
        total = current.integer_value + operand.integer_value
        return Value(integer_value=max(_MIN_INTEGER, min(_MAX_INTEGER, total)))
    return Value(double_value=_number(current) + _number(operand))


def _number(value: Pb) -> float:
    number: float = value.integer_value if value.HasField("integer_value") else value.double_value
    return number


def _maximum(current: Pb, operand: Pb) -> Pb:
    held, given = key_of(current), key_of(operand)
    if NAN_KEY in (held, given):
        return Value(double_value=float("nan"))
    # For equal numbers the stored one stays, also if its type differs.
    return operand if given > held else current


def _minimum(current: Pb, operand: Pb) -> Pb:
    held, given = key_of(current), key_of(operand)
    if NAN_KEY in (held, given):
        return Value(double_value=float("nan"))
    return operand if given < held else current


def _append_missing(present: Iterable[Pb], elements: Iterable[Pb]) -> Pb:
    value = Value()
    value.array_value.values.extend(present)
    held = {key_of(item) for item in value.array_value.values}
    for item in elements:
        if key_of(item) not in held:
            held.add(key_of(item))
            value.array_value.values.append(item)
    value.array_value.SetInParent()
    return value


def _remove_all(present: Iterable[Pb], elements: Iterable[Pb]) -> Pb:
    unwanted = {key_of(item) for item in elements}
    value = Value()
    value.array_value.SetInParent()
    value.array_value.values.extend(item for item in present if key_of(item) not in unwanted)
    return value


_NUMERIC: dict[str | None, Callable[[Pb, Pb], Pb]] = {
    "increment": _increment,
    "maximum": _maximum,
    "minimum": _minimum,
}
_ARRAYS: dict[str | None, Callable[[Iterable[Pb], Iterable[Pb]], Pb]] = {
    "append_missing_elements": _append_missing,
    "remove_all_from_array": _remove_all,
}
