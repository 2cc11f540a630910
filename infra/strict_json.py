"""Strict JSON: refuses duplicate keys with different values, NaN and invalid UTF-8. Pure.

RFC 8259 does not define duplicate keys, so two parsers may read two messages, or two audiences, out of the same bytes.
"""

import json
from typing import Any

# Stands for a value that was cut out. It is no JSON, so strict JSON never has it.
GAP = b"NaN"


class StrictJsonError(ValueError):
    """The bytes are not strict JSON."""


def parse_object(raw: bytes | bytearray) -> dict[str, Any]:
    """Decode one JSON object from UTF-8. Raises StrictJsonError for any other bytes."""
    return _decoded(raw, _DECODER)


def parse_object_with_gap(raw: bytes | bytearray) -> tuple[dict[str, Any], float]:
    """Decode one JSON object in which one value is ``GAP``; return it, and the object in the place of the gap.

    Nothing else in the result is this object (``is``), however it is written. Raises StrictJsonError.
    """
    gaps: list[float] = []

    def take(_: str) -> float:
        gaps.append(float("nan"))
        return gaps[-1]

    parsed = _decoded(raw, json.JSONDecoder(object_pairs_hook=_without_conflicts, parse_constant=take))
    if len(gaps) != 1:
        raise StrictJsonError(f"it holds {len(gaps)} constants that are not JSON")
    return parsed, gaps[0]


def _decoded(raw: bytes | bytearray, decoder: json.JSONDecoder) -> dict[str, Any]:
    try:
        parsed = decoder.decode(raw.decode())
    except RecursionError:
        raise StrictJsonError("it is nested too deeply") from None
    except UnicodeDecodeError as exc:
        raise StrictJsonError(f"it is not UTF-8 (byte {exc.start})") from None
    except StrictJsonError:
        raise
    except json.JSONDecodeError as exc:
        raise StrictJsonError(f"it is not JSON ({exc.msg} at character {exc.pos})") from None
    except ValueError:  # Python's own limit on the digits of an integer
        raise StrictJsonError("it holds a number that is too long") from None
    if not isinstance(parsed, dict):
        raise StrictJsonError("it is not a JSON object")
    return parsed


def _without_conflicts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        for key, value in pairs:
            # Compared as text: True == 1 == 1.0 in Python, at any depth, not in JSON.
            if parsed[key] is not value and json.dumps(parsed[key]) != json.dumps(value):
                raise StrictJsonError("a key appears twice with different values")
    return parsed


def _refuse_constant(name: str) -> Any:
    raise StrictJsonError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_without_conflicts, parse_constant=_refuse_constant)
