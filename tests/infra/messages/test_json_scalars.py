"""The fast reading of top-level scalars equals a full parse."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.messages.json_scalars import parse_json, top_scalars

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))
# Pieces that mutate a text: brackets, quotes, escapes, valid and invalid numbers.
PIECES = st.sampled_from(
    ['"', "\\", "{", "}", "[", "]", ",", ":", "0", "1e5", "-", ".5", "nul", "\\ud800", "\x00", " ", "\ufeff"]
)


def scalars_of(text: str) -> tuple[tuple[str, str], ...] | None:
    """The scalars by a full parse."""
    parsed = parse_json(text)
    if not isinstance(parsed, dict):
        return None if parsed is None else ()
    words: dict[Any, str] = {None: "null", True: "true", False: "false"}
    flat = {key: value for key, value in parsed.items() if not isinstance(value, dict | list)}
    return tuple((key, value if isinstance(value, str) else words[value]) for key, value in flat.items())


@given(VALUES, st.integers(0, 200), PIECES | st.just(""))
@example({"a": 0.1}, 0, "")
@example({"\ud800": 1}, 0, "")
def test_top_scalars_equal_those_of_a_full_parse(value: object, place: int, piece: str) -> None:
    text = json.dumps(value)
    text = text[:place] + piece + text[place:]
    assert top_scalars(text.encode(errors="replace"), text) == scalars_of(text)


@pytest.mark.parametrize(
    ("text", "scalars"),
    [
        (
            '{"n": 0.10, "big": 12345678901234567890123, "e": 1E+2}',
            (("n", "0.10"), ("big", "12345678901234567890123"), ("e", "1E+2")),
        ),
        ('{"a": 1, "b": 2, "a": "x"}', (("a", "x"), ("b", "2"))),
        ('{"\\u0061" : "\\u00e9\\n"}', (("a", "é\n"),)),
        ('{"s": "\\ud83d\\ude00", "half": "\\ud800"}', (("s", "😀"), ("half", "\ud800"))),
        ('{"o": {"x": 1}, "l": [1], "t": true, "z": null}', (("t", "true"), ("z", "null"))),
        ('\n [1, {"a": 2}]', ()),
        ('"text"', None),
        ("7", None),
        ('{"a": NaN}', None),
        ('{"a": 01}', None),
        ('{"a": 1,}', None),
        ('{"a": 1} x', None),
        ("[" * 100_000, None),
    ],
)
def test_scalars_are_as_sent(text: str, scalars: tuple[tuple[str, str], ...] | None) -> None:
    assert top_scalars(text.encode(), text) == scalars


def test_too_long_scalar_is_left_out() -> None:
    text = json.dumps({"long": "x" * 10_000, "short": "y"})
    assert top_scalars(text.encode(), text) == (("short", "y"),)
