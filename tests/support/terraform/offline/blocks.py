"""The blocks of a schema: encoded for terraform, checked for documented values, and filled with computed ones. Pure.

A schema has the form of ``terraform providers schema -json``, with the documented values of an attribute in ``_enum``.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.terraform.offline import wire
from tests.support.terraform.offline.wire import UNKNOWN, field

Block = dict[str, Any]
# A value for a computed attribute, from its name, its specification and the values beside it.
Make = Callable[[str, dict[str, Any], dict[str, Any]], Any]
_NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}


def encode_schema(schema: dict[str, Any]) -> bytes:
    """Write the Schema message."""
    return field(1, schema.get("version")) + wire.message(2, _encode_block(schema["block"]))


def _encode_block(block: Block) -> bytes:
    attributes = (field(2, _encode_attribute(name, spec)) for name, spec in sorted(block["attributes"].items()))
    blocks = (field(3, _encode_nested(name, nested)) for name, nested in sorted(block["block_types"].items()))
    return b"".join((*attributes, *blocks))


def _encode_attribute(name: str, spec: dict[str, Any]) -> bytes:
    flags = ((4, "required"), (5, "optional"), (6, "computed"), (7, "sensitive"), (11, "write_only"))
    encoded = b"".join(field(number, spec.get(flag)) for number, flag in flags)
    return field(1, name) + field(2, json.dumps(spec["type"])) + encoded


def _encode_nested(name: str, nested: dict[str, Any]) -> bytes:
    mode, least, most = _NESTING[nested["nesting_mode"]], nested.get("min_items"), nested.get("max_items")
    body = wire.message(2, _encode_block(nested["block"]))
    return field(1, name) + body + field(3, mode) + field(4, least) + field(5, most)


def undocumented_values(
    block: Block, value: dict[str, Any] | None, path: tuple[str | int, ...] = ()
) -> Iterator[bytes]:
    """Yield a diagnostic for each string that is not among the values in the provider's documentation."""
    for name, spec in block["attributes"].items():
        found = (value or {}).get(name)
        if isinstance(found, str) and spec.get("_enum") and found not in spec["_enum"]:
            documented = "Documented values: " + ", ".join(spec["_enum"])
            yield wire.diagnostic(f"Unexpected value {found!r} for {name}", documented, (*path, name))
    for name, position, nested, item in _nested_values(block, value):
        steps = (name, position) if nested["nesting_mode"] == "list" else (name,)
        yield from undocumented_values(nested["block"], item, (*path, *steps))


def fill(block: Block, value: dict[str, Any], make: Make) -> dict[str, Any]:
    """Set computed attributes that are null or unknown, and null write-only ones; return ``value``."""
    for name, spec in block["attributes"].items():
        if spec.get("write_only"):
            value[name] = None
        elif spec.get("computed") and (value.get(name) is None or isinstance(value[name], type(UNKNOWN))):
            value[name] = make(name, spec, value)
    for name, _, nested, item in _nested_values(block, value):
        if name != "timeouts":
            fill(nested["block"], item, make)
    return value


def complete(block: Block, value: dict[str, Any]) -> dict[str, Any]:
    """Return ``value`` with exactly the names of the schema; what an older state lacks is null, as with Google's."""
    held = {name: value.get(name) for name in block["attributes"]}
    for name, nested in block["block_types"].items():
        items = value.get(name)
        if isinstance(items, list):
            held[name] = [complete(nested["block"], item) for item in items]
        elif isinstance(items, dict):
            held[name] = complete(nested["block"], items)
        else:
            held[name] = [] if nested["nesting_mode"] in ("list", "set") else None
    return held


def _nested_values(
    block: Block, value: dict[str, Any] | None
) -> Iterator[tuple[str, int, dict[str, Any], dict[str, Any]]]:
    for name, nested in block["block_types"].items():
        held = (value or {}).get(name)
        items = held if isinstance(held, list) else [held]
        for position, item in enumerate(items):
            if isinstance(item, dict):
                yield name, position, nested, item
