"""Pairs of JSON documents and their differences: paths, numbers, order of names, repeated names, arrays."""

import json

import pytest

from infra.messages.compare.json_diff import Operation, diff
from infra.messages.compare.json_patch import NoPatchError, patch_text, pointer
from infra.messages.compare.json_values import Masked, parse, text_of, with_masked
from infra.messages.compare.payloads import compare


def written(a: str, b: str) -> list[str]:
    """Return each operation as ``kind path old new``."""
    operations = diff(parse(a), parse(b))
    return [f"{one.kind} {pointer(one.path)} {text_of(one.old, 50)} {text_of(one.new, 50)}" for one in operations]


@pytest.mark.parametrize(
    ("a", "b", "operations"),
    [
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', []),
        ('{"a": 1}', '{"a": 1.0}', ["replace /a 1 1.0"]),
        ('{"a": 12345678901234567890}', '{"a": 12345678901234567891}', [
            "replace /a 12345678901234567890 12345678901234567891"
        ]),
        ('{"a": 1}', '{"a": "1"}', ['replace /a 1 "1"']),
        ('{"a": true}', '{"a": 1}', ["replace /a true 1"]),
        ('{"a": -0}', '{"a": 0}', ["replace /a -0 0"]),
        (r'{"a": "\u0041"}', '{"a": "A"}', []),
        ('\ufeff{"a": 1}', ' {"a" : 1}', []),
        ('{"a": null}', "{}", ["remove /a null null"]),
        ("{}", '{"a": null}', ["add /a null null"]),
        ('{"a/b": 1, "m~n": {"": 2}}', '{"a/b": 2, "m~n": {"": 3}}', ["replace /a~1b 1 2", "replace /m~0n/ 2 3"]),
        ("{}", "[]", ["replace  {} []"]),
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}', []),
        ('{"a": 1, "a": 2}', '{"a": 2, "a": 1}', ["replace /a 1, then 2 2, then 1"]),
        ('{"a": 1, "a": 2}', '{"a": 2}', ["replace /a 1, then 2 2"]),
    ],
)  # fmt: skip
def test_differences_of_values(a: str, b: str, operations: list[str]) -> None:
    assert written(a, b) == operations


@pytest.mark.parametrize(
    ("a", "b", "operations"),
    [
        ("[1, 2, 3]", "[1, 3]", ["remove /1 2 null"]),
        ("[1, 3]", "[0, 1, 2, 3]", ["add /0 null 0", "add /2 null 2"]),
        ("[1, 2, 3]", "[1, 9, 3]", ["replace /1 2 9"]),
        ('[{"x": 1}, {"y": 2}]', '[{"n": 0}, {"x": 1}, {"y": 3}]', ['add /0 null {"n": 0}', "replace /2/y 2 3"]),
        ('[{"id": 1, "v": 1}, {"id": 2, "v": 2}]', '[{"id": 2, "v": 3}]', [
            'remove /0 {"id": 1, "v": 1} null', "replace /0/v 2 3"
        ]),
        ('[{"id": 1}, {"id": 2}]', '[{"id": 2}, {"id": 1}]', ['remove /0 {"id": 1} null', 'add /1 null {"id": 1}']),
        ('[{"id": 1, "v": 1}]', '[{"id": 7, "v": 1}]', ["replace /0/id 1 7"]),
        ('[{"b": 1, "a": [2]}, 5]', '[6, {"a": [2], "b": 1}, 5]', ["add /0 null 6"]),
        ('[[1, 2], [3]]', '[[1, 2, 4], [3]]', ["add /0/2 null 4"]),
    ],
)  # fmt: skip
def test_differences_of_arrays(a: str, b: str, operations: list[str]) -> None:
    assert written(a, b) == operations


def test_patch_has_exact_numbers_and_escapes() -> None:
    a, b = parse('{"a": 1.0, "b": [1]}'), parse('{"a": 1.10, "b": [1, "\\ud800\\n"], "ö": {"c": 1e400}}')
    assert patch_text(diff(a, b), a, b) == (
        '[{"op": "replace", "path": "/a", "value": 1.10},\n'
        ' {"op": "add", "path": "/b/1", "value": "\\ud800\\n"},\n'
        ' {"op": "add", "path": "/\\u00f6", "value": {"c": 1e400}}]\n'
    )


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '[{"a": [{"b": 1, "b": 1}]}]'])
def test_patch_of_repeated_names_is_refused(text: str) -> None:
    a, b = parse(text), parse("[]")
    with pytest.raises(NoPatchError, match="more than once"):
        patch_text(diff(a, b), a, b)


def test_patch_of_many_long_names_is_refused_before_it_is_written() -> None:
    a, b = (parse(json.dumps({"n" * 500_000: list(range(start, start + 2_000))})) for start in (0, 5_000))
    with pytest.raises(NoPatchError, match="longer than 4 MB"):
        patch_text(diff(a, b), a, b)


def test_masked_values_equal_no_other_and_are_never_called_equal() -> None:
    a, b = parse('{"x": "•••", "y": [{"z": "•••"}], "k": 1}'), parse('{"x": "•••", "y": [{"z": "•••"}], "k": 1}')
    assert isinstance(a, dict)
    assert isinstance(b, dict)
    with_masked(a, "•••")
    with_masked(b, "•••")
    operations = diff(a, b)
    assert [(one.path, type(one.old), type(one.new)) for one in operations] == [
        (("x",), Masked, Masked),
        (("y", 0, "z"), Masked, Masked),
    ]
    with pytest.raises(NoPatchError, match="masked"):
        patch_text(operations, a, b)


def test_repeated_name_with_a_masked_value_is_masked_as_a_whole() -> None:
    value = parse('{"x": 1, "x": ["•••"]}')
    assert isinstance(value, dict)
    with_masked(value, "•••")
    assert isinstance(value["x"], Masked)


@pytest.mark.parametrize(
    ("a", "b", "way"),
    [
        (b'{"a": 1}', b'{"a":  1}', "equal"),
        (b'{"a": 1}', b'{"a": 2}', "json"),
        (b"[1]", b'"text"', "text"),
        (b"[1", b"[1]", "text"),
        (b"[NaN]", b"[1]", "text"),
        (b"one", b"two", "text"),
        (b"one", b"\xff", "bytes"),
        (b"", b"one", "text"),
        (b"", b"", "equal"),
        (b"[" * 100_000, b"[" * 99_999, "text"),
    ],
)
def test_payloads_are_compared_by_what_both_are(a: bytes, b: bytes, way: str) -> None:
    assert compare(a, b).way == way


@pytest.mark.parametrize(
    ("a", "b", "way"),
    [
        (b'{"a": "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"}', b'{"a": "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"}', "json"),
        (b'"\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"', b'"\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"', "withheld"),
        (b'{"a": 1}', b'{"a": 1}', "equal"),
    ],
)
def test_payloads_with_masked_values_are_never_equal(a: bytes, b: bytes, way: str) -> None:
    assert compare(a, b, hidden="•••").way == way


def test_deepest_json_that_can_be_parsed_is_compared() -> None:
    deep = 800
    before, after = b'{"a":[' * (deep // 2), b"]}" * (deep // 2)
    found = compare(before + b"1" + after, before + b"2" + after)
    assert found.of_json is not None
    assert [len(one.path) for one in found.of_json.operations] == [deep]
    assert isinstance(found.of_json.operations[0], Operation)
