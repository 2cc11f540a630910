"""The work of matching one message: thirty terms share it, and the densest payload bounds it."""

import pytest

from infra.messages.chunks import INLINE_BYTES
from infra.query import MAX_WILDCARD_PATHS, parse
from infra.query.reading import Reading
from tests.support.cpu_cost import assert_cheap
from tests.support.received import NOW, message

ONES = b'{"a":[' + b"1," * 8_180 + b"1]}"
RECORDS = b'{"a":[' + b",".join(b'{"id":"%d","b":[%d]}' % (number, number) for number in range(600)) + b"]}"

WILD_PATHS = ("*", "*.*", "*.id", "*.*.*", "*.*.id")


def walks(text: str, data: bytes) -> int:
    """The passes over a payload that a filter needs."""
    reading = Reading(message(data))
    assert not [term for term in parse(text, NOW).terms if term.matches(reading)], "all terms had to be tried"
    return reading.walks


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("data.a.0=z data.b=z plain~z", 0),
        (" OR ".join(f"data.*.*=z{number}" for number in range(15)), 1),
        (" OR ".join(f"data.*.*~z{number}" for number in range(15)), 1),
        (" ".join(f"data.{'*.' * 40}{number % 5}=z" for number in range(20)), 5),
        ("data.a.*=z data.a.*~z data.x.*~ data.x.*~", 2),
    ],
)
def test_terms_share_one_pass_for_each_path(text: str, passes: int) -> None:
    assert walks(text, ONES) == passes <= MAX_WILDCARD_PATHS


@pytest.mark.parametrize("data", [ONES, RECORDS], ids=["ones", "records"])
@pytest.mark.parametrize(
    "text",
    [
        " OR ".join(f"data.*.*=z{number}" for number in range(15)),
        " ".join(f"-data.*.*~z{number}" for number in range(30)),
        " ".join(
            f"-data.{path}~z" for path in ("*", "*.*", "*.id", "*.*.*", "*.*.id", *map("a.{}.id".format, range(25)))
        ),
        " ".join(f"-nowhere{number}" for number in range(30)),
    ],
    ids=["any", "contains", "paths", "texts"],
)
def test_costliest_filters_match_a_message_cheaply(text: str, data: bytes) -> None:
    assert len(data) <= INLINE_BYTES
    query, stored = parse(text, NOW), message(data)
    assert_cheap(lambda: query.matches(stored), loops=1.5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.a.*=12", True),
        ("data.a.*=1", False),
        ("data.a.*~A", True),
        ("data.a.*~ -data.b.*~ -data.a.*~z", True),
        # A text that spans two values is found in neither.
        (r'"data.a.*"~"x\u0000y"', False),
        (r'"data.a.*"~"\u0000y"', True),
    ],
)
def test_shared_values_match_as_single_ones(text: str, expected: bool) -> None:
    stored = message(rb'{"a": [12, "xAx", "x", "y", "q\u0000y"], "b": 1}')
    assert parse(text, NOW).matches(stored) is expected
