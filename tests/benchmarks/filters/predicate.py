"""The cost of the predicate: ``python -m tests.benchmarks.filters.predicate`` (a quarter of a minute).

Usual filters on a usual message, then the costliest ones on the payloads that cost most. It prints the CPU time of one
decision and asserts nothing; a filter that this version cannot parse is left out, so that versions can be compared.
"""

import json
import random
import time
from datetime import UTC, datetime

from infra.messages.message import Message
from infra.query import QueryError, parse
from tests.support.received import message

NOW = datetime(2026, 11, 23, 10, 42, 7, tzinfo=UTC)
_LETTERS = "".join(random.Random(1).choice("ab") for _ in range(16_000))
USUAL = message(
    json.dumps(
        {"id": 42, "status": "PAID", "total": 150.5, "at": "2026-11-23T10:00:00Z", "user": {"id": 7, "name": "a b"}}
        | {"items": [{"sku": f"s{number}", "n": number} for number in range(10)]}
    ).encode(),
    attributes={"type": "order.paid", "status": "PAID", "retries": "3"},
)
MESSAGES = {
    "usual": USUAL,
    "3,200 numbers": message(b'{"a":[' + b",".join(b"%d" % number for number in range(1_000, 4_200)) + b"]}"),
    "16 KB of a and b": message(_LETTERS.encode()),
    "the same with an escape": message(json.dumps({"a": _LETTERS[:-60] + "\n"}).encode()),
}
FILTERS = {
    "usual": (
        "timeout",
        "status=PAID",
        "data.status=PAID -type=heartbeat",
        "data.user.id=8 OR data.items.*.sku=none",
        "status~fail kind:json",
        "status!=PAID",
        "data.total>200",
        "data.at>=2026-11-24",
        "retries:5..9",
        "data.items.*.n>10",
        "size>10kb",
        "(status=NEW OR data.total>200) -(type=a data.id=1)",
        "/time.?out/",
        "data.user.name=~/^c/",
    ),
    "3,200 numbers": (
        "data.a.*=x",
        "data.a.*>9000",
        " OR ".join(f"data.{path}:{low}.5..{low}.6" for low in (2, 5000) for path in ("*.*", "a.*", "*", "*.*.*")),
        " ".join(f"-data.a.*=~/^x{number}+$/" for number in range(5)),
    ),
    "16 KB of a and b": ("nowhere", "/nowhere.+/", "/[ab]*a[ab]{190}c/", "/(?:a?){62}a{62}z/"),
    "the same with an escape": ("nowhere", "/[ab]*a[ab]{190}c/"),
}
_SECONDS = 0.3


def cost(text: str, stored: Message) -> float | None:
    """Return the CPU seconds of one decision; None for a filter that this version does not know."""
    try:
        query = parse(text, NOW)
    except QueryError:
        return None
    query.matches(stored)
    count, began = 0, time.thread_time()
    while (used := time.thread_time() - began) < _SECONDS:
        query.matches(stored)
        count += 1
    return used / count


def main() -> None:
    """Print a line for each filter."""
    for name, stored in MESSAGES.items():
        print(f"\n{name}")
        for text in FILTERS[name]:
            seconds = cost(text, stored)
            shown = "not known" if seconds is None else f"{seconds * 1e6:,.1f} µs"
            print(f"  {shown:>14}  {text if len(text) < 70 else text[:67] + '…'}")


if __name__ == "__main__":
    main()
