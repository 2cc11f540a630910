"""Random filters and messages, and an evaluator that shares no code with the product.

A filter is a tree of tuples, written as text for the product, and judged here from the payload as Python's own JSON
parser reads it: numbers are fractions, times are ``datetime``, expressions are ``re``.
"""

import json
import operator
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

from infra.messages.message import Message
from tests.support.received import NOW, message

# A filter: its kind, then its parts.
Node = tuple[Any, ...]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
NUMBERS = ("0", "-0", "1", "10", "9.5", "0.10", "0.1", "1e2", "100", "-3", "1e400", "18446744073709551617", "007")
NAMES = (
    "total",
    "status",
    "user.id",
    "items.0.n",
    "items.1.n",
    "items.*.n",
    "items.*",
    "user",
    "*",
    "*.*",
    "at",
    "x-y",
)
ATTRIBUTES = ("status", "count", "when", "item_count", "data.total")
TEXTS = ("PAID", "paid", "open", "a b", "10", "x")
STATES = ("PAID", "open")
EXPRESSIONS = ("pa.d", "^paid$", "o(p|q)en", "[0-9]{2,}", "x$", "^.?$")


DEPTH = 3


class _Number(str):
    """The text of a JSON number."""


def random_message(choices: random.Random) -> Message:
    """Return one message as the receiver stores it."""
    attributes = {
        name: choices.choice((*NUMBERS, *TEXTS, _time(choices))) for name in ATTRIBUTES if choices.random() < 0.4
    }
    if choices.random() < 0.7:
        attributes["status"] = choices.choice(STATES)
    held = {name: _value(choices) for name in ("total", "status", "at", "x-y") if choices.random() < 0.6}
    if choices.random() < 0.5:
        held["status"] = f'"{choices.choice(STATES)}"'
    if choices.random() < 0.5:
        held["user"] = choices.choice((_value(choices), '{"id": ' + _value(choices) + "}"))
    if choices.random() < 0.5:
        items = (
            choices.choice((_value(choices), '{"n": ' + _value(choices) + "}")) for _ in range(choices.randrange(4))
        )
        held["items"] = f"[{', '.join(items)}]"
    data = "{" + ", ".join(f'"{name}": {value}' for name, value in held.items()) + "}"
    return message(
        data.encode() if choices.random() < 0.9 else b"PAID \xff",
        attributes=attributes,
        id=f"{choices.getrandbits(128):032x}",
        message_id=str(choices.randrange(10**6)),
        subscription=choices.choice(("builds", "orders")),
        received_at=NOW - timedelta(seconds=choices.randrange(7_200)),
        publish_time=NOW - timedelta(seconds=choices.randrange(7_200)),
        deliveries=choices.choice((1, 1, 2, 5)),
        delivery_attempt=choices.choice((None, 1, 3)),
    )


def _value(choices: random.Random) -> str:
    """Return a JSON value."""
    number = choices.choice(NUMBERS[:-1])
    return choices.choice((number, f'"{number}"', f'"{choices.choice(TEXTS)}"', f'"{_time(choices)}"', "null", "true"))


def _time(choices: random.Random) -> str:
    at = NOW - timedelta(seconds=choices.randrange(7_200), microseconds=choices.randrange(3) * 500_000)
    offset = timezone(timedelta(hours=choices.choice((0, 2, -5))))
    return choices.choice((at.astimezone(offset).isoformat(), f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", f"{at:%Y-%m-%d}"))


def random_filter(choices: random.Random, depth: int = DEPTH) -> Node:
    """Return a filter's tree; the index answers a part of many."""
    kind = choices.random()
    if depth == DEPTH and kind > 0.6:
        return ("and", _indexed(choices), random_filter(choices, depth - 1))
    if depth and kind < 0.35:
        parts = tuple(random_filter(choices, depth - 1) for _ in range(choices.randrange(2, 4)))
        return (choices.choice(("and", "or")), *parts)
    if kind < 0.5:
        return ("not", random_filter(choices, depth - 1 if depth else 0))
    return _leaf(choices)


def _indexed(choices: random.Random) -> Node:
    several = [("=", choices.choice(("status", "data.status")), choices.choice(STATES)) for _ in range(2)]
    return choices.choice((several[0], ("or", *several), ("subscription", "builds"), ("not", ("!=", *several[0][1:]))))


def _leaf(choices: random.Random) -> Node:
    key = choices.choice((*(f"data.{name}" for name in NAMES), *ATTRIBUTES))
    limit = choices.choice((choices.choice(NUMBERS), _time(choices)))
    match choices.randrange(12):
        case 0:
            return ("text", choices.choice(TEXTS))
        case 1 | 2:
            return (choices.choice(("=", "!=")), key, choices.choice((*NUMBERS, *TEXTS, "null", "true")))
        case 3:
            return ("~", key, choices.choice((*TEXTS, "", "1")))
        case 4 | 5:
            return ("compare", key, choices.choice((*OPERATORS,)), limit)
        case 6:
            low, high = sorted((choices.choice(NUMBERS), choices.choice(NUMBERS)), key=Fraction)
            return ("range", key, low, high)
        case 7:
            return ("has", choices.choice((key, "attributes", "data", "redelivery")))
        case 8:
            name, text = choices.choice(
                (("size", "60"), ("deliveries", "2"), ("attempt", "2"), ("published", _time(choices)))
            )
            return ("measure", name, choices.choice((*OPERATORS,)), text)
        case 9:
            return ("expression", choices.choice(("", key)), choices.choice(EXPRESSIONS))
        case 10:
            return (choices.choice(("after", "before")), _time(choices))
        case _:
            return choices.choice((("subscription", "builds"), ("kind", "json"), ("kind", "binary")))


def text_of(node: Node) -> str:
    """Write a filter as its language does; a tree of several is in brackets."""
    match node:
        case ("and", *parts):
            return f"({' AND '.join(map(text_of, parts))})"
        case ("or", *parts):
            return f"({' OR '.join(map(text_of, parts))})"
        case ("not", part):
            inner = text_of(part)
            return f"-({inner})" if inner.startswith("-") else f"-{inner}"
        case ("text", part):
            return f'"{part}"'
        case (("=" | "!=" | "~") as sign, key, value):
            return f'{key}{sign}"{value}"'
        case ("compare" | "measure", key, sign, limit):
            return f"{key}{sign}{limit}"
        case ("range", key, low, high):
            return f"{key}:{low}..{high}"
        case ("expression", "", pattern):
            return f"/{pattern}/"
        case ("expression", key, pattern):
            return f"{key}=~/{pattern}/"
        case (prefix, value):
            return f"{prefix}:{value}"
    raise AssertionError(node)


def judge(node: Node, stored: Message) -> bool:
    """Tell whether a message meets a filter."""
    match node:
        case ("and", *parts):
            return all(judge(part, stored) for part in parts)
        case ("or", *parts):
            return any(judge(part, stored) for part in parts)
        case ("not", part):
            return not judge(part, stored)
        case ("text", part):
            return any(part.lower() in text.lower() for text in _texts(stored))
        case ("=", key, value):
            return value in _values(stored, key)
        case ("!=", key, value):
            return value not in _values(stored, key)
        case ("~", key, "") | ("has", key) if key not in ("attributes", "data", "redelivery"):
            return key in stored.attributes or bool(_nodes(stored, key))
        case ("~", key, part):
            return any(part.lower() in value.lower() for value in _values(stored, key))
        case ("compare", key, sign, limit):
            return any(_compares(value, sign, limit) for value in _values(stored, key))
        case ("range", key, low, high):
            return any(_compares(value, ">=", low) and _compares(value, "<=", high) for value in _values(stored, key))
        case ("measure", name, sign, limit):
            return _measures(stored, name, sign, limit)
        case ("expression", "", pattern):
            return any(re.search(pattern, text, re.IGNORECASE) for text in _texts(stored))
        case ("expression", key, pattern):
            return any(re.search(pattern, value, re.IGNORECASE) for value in _values(stored, key))
        case ("has", quality):
            return {
                "attributes": bool(stored.attributes),
                "data": stored.size_bytes > 0,
                "redelivery": stored.deliveries > 1,
            }[quality]
        case ("after", at):
            return stored.received_at >= _moment(at)
        case ("before", at):
            return stored.received_at < _moment(at)
        case ("subscription", name):
            return bool(stored.subscription == name)
        case ("kind", kind):
            return bool(stored.kind == kind)
    raise AssertionError(node)


def _measures(stored: Message, name: str, sign: str, limit: str) -> bool:
    compare = OPERATORS[sign]
    if name == "published":
        return bool(compare(stored.publish_time, _moment(limit)))
    value = {"size": stored.size_bytes, "deliveries": stored.deliveries, "attempt": stored.delivery_attempt}[name]
    return value is not None and bool(compare(value, int(limit)))


def _compares(value: str, sign: str, limit: str) -> bool:
    read: Callable[[str], Any] = _fraction if _fraction(limit) is not None else _moment_or_none
    left, right = read(value), read(limit)
    return left is not None and bool(OPERATORS[sign](left, right))


def _fraction(text: str) -> Fraction | None:
    return Fraction(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e[0-9]+)?", text) else None


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _moment_or_none(text: str) -> datetime | None:
    return _moment(text) if re.match(r"[0-9]{4}-[0-9]{2}-", text) else None


def _texts(stored: Message) -> list[str]:
    payload = (stored.data or b"").decode(errors="replace")
    return [stored.message_id, stored.ordering_key, *stored.attributes, *stored.attributes.values(), payload]


def _values(stored: Message, key: str) -> list[str]:
    found = [stored.attributes[key]] if key in stored.attributes else []
    return found + [text for node in _nodes(stored, key) for text in _scalar(node)]


def _scalar(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield str(node)
    elif node is None or isinstance(node, bool):
        yield json.dumps(node)


def _nodes(stored: Message, key: str) -> list[Any]:
    if not key.startswith("data."):
        return []
    try:
        nodes = [json.loads(stored.data or b"", parse_int=_Number, parse_float=_Number)]
    except ValueError:
        return []
    for step in key.split(".")[1:]:
        nodes = [child for node in nodes for child in _children(node, step)]
    return nodes


def _children(node: object, step: str) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values()) if step == "*" else [node[step]] if step in node else []
    if isinstance(node, list):
        return node if step == "*" else node[int(step) :][:1] if step.isdigit() else []
    return []
