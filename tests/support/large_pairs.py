"""Pairs of payloads of 1 MB whose comparison costs most: the same ones in every run."""

import json
import random
from functools import cache

from infra.messages.compare.payloads import MAX_COMPARED_BYTES

_DEPTH = 700


@cache
def large_pairs() -> dict[str, tuple[bytes, bytes]]:
    """Return two payloads for each shape."""
    source = random.Random(1)
    size = MAX_COMPARED_BYTES
    digits = [str(source.randrange(10)) for _ in range(size // 2 - 1)]
    others = [str(source.randrange(10)) for _ in range(size // 2 - 1)]
    orders = [_order(n, n * 1.5) for n in range(7_400)]
    changed = [_order(n, n * 1.5 if n % 50 else 1) for n in range(5, 7_400)]
    many_objects = b"[" + b"{}," * (size // 3 - 2)
    numbered = [f"line {n} of many" for n in range(size // 20)]
    words = [f"{source.randrange(10**6)}" for _ in range(size // 8)]
    noise = source.randbytes(size)
    return {
        "digits, one inserted": (_array(digits), _array([*digits[:1000], "7", *digits[1000:-1]])),
        "digits, all different": (_array(digits), _array(others)),
        "numbers of six digits, others": (_array(words), _array(words[::-1])),
        "objects with ids": (json.dumps(orders).encode(), json.dumps(changed).encode()),
        "object of many members": (_members(0), _members(7)),
        "most objects that are compared": (_points(0), _points(1)),
        "more objects than are compared": (many_objects + b"{}]", many_objects + b"1]"),
        "arrays of two numbers": (_pairs(90), _pairs(91)),
        "nested, all levels differ": (_nested("1"), _nested("2")),
        "nested beside large equal arrays": (_beside("1"), _beside("2")),
        "one long string": (b'["' + b"x" * (size - 4) + b'"]', b'["' + b"x" * (size - 5) + b'y"]'),
        "text, one line": (" ".join(words).encode(), " ".join(["new", *words[:-1]]).encode()),
        "text, one line without separators": (b"a" * size, b"a" * (size // 2) + b"b" + b"a" * (size // 2 - 1)),
        "text, many lines": ("\n".join(numbered).encode(), "\n".join(numbered[::2] + numbered[1::2]).encode()),
        "text, all lines differ": ("\n".join(numbered).encode(), "\n".join(numbered).upper().encode()),
        "text, shortest lines": (b"a\n" * (size // 2), b"a\nb\n" * (size // 4)),
        "bytes, some inserted": (noise, noise[:1000] + b"\x00\x01" + noise[1000:500_000] + noise[500_002:]),
        "bytes, all different": (noise, source.randbytes(size)),
        "bytes, two values": (b"\xff\x00" * (size // 2), b"\x00\xff\xff" * (size // 3)),
    }


def _order(number: int, price: float) -> dict[str, object]:
    name = f"order {number} of the shop in the north"
    return {"id": number, "name": name, "price": price, "tags": ["a", "b"], "to": {"x": 1}}


def _array(items: list[str]) -> bytes:
    return f"[{','.join(items)}]".encode()


def _members(step: int) -> bytes:
    return json.dumps({f"k{n}": n if n % 1000 else n + step for n in range(60_000)}).encode()


def _points(step: int) -> bytes:
    name = "a point of a map of the north"
    points = [{"x": n % 97, "name": name, "y": n % 89 + (0 if n % 7 else step)} for n in range(14_900)]
    return json.dumps(points).encode()


def _pairs(most: int) -> bytes:
    return json.dumps([[n % most + 0.5, n % 80 + 0.25] for n in range(59_000)], separators=(",", ":")).encode()


def _nested(value: str) -> bytes:
    level = f'{{"a":{value},"b":['
    return (level * (_DEPTH // 2) + "0" * 1 + "]}" * (_DEPTH // 2)).encode()


def _beside(value: str) -> bytes:
    filler = "[" + ",".join(["[1]"] * 650) + "]"
    return (f"[{filler}," * 380 + value + "]" * 380).encode()
