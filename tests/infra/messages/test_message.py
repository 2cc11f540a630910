"""The id, content, index tokens and preview of a message."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.messages.cursor import Cursor
from infra.messages.field_names import escape_name, unescape_name
from infra.messages.message import (
    MAX_TOKENS,
    MORE_TOKENS,
    PREVIEW_CHARACTERS,
    Content,
    Pushed,
    document_id,
    index_tokens,
    is_document_id,
    read_content,
    shard_of,
)
from infra.messages.visible_text import is_visible
from tests.support.cpu_cost import assert_cheap

text = st.text(st.characters(exclude_categories=["Cs"]))
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
ID = "0123456789abcdef0123456789abcdef"


def test_id_is_the_hash_of_subscription_and_message() -> None:
    expected = hashlib.sha256(b"builds/123").hexdigest()[:32]
    assert document_id("builds", "123") == expected
    assert Pushed("projects/p/subscriptions/builds", "123", AT, b"").id == expected


@given(subscription=text, message_id=text)
def test_every_id_is_legal(subscription: str, message_id: str) -> None:
    assert is_document_id(document_id(subscription, message_id))


@pytest.mark.parametrize("wrong", ["", ID[:-1], ID + "0", ID.upper(), f"{ID}\n", "a/b", "..", f" {ID}", ID[:-1] + "g"])
def test_other_text_is_no_document_id(wrong: str) -> None:
    assert not is_document_id(wrong)


def test_shards_are_used_evenly() -> None:
    counts = [0] * 4
    for number in range(4000):
        counts[shard_of(document_id("s", str(number)), 4)] += 1
    assert min(counts) > 900


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("kind", "kind"),
        ("", "%"),
        ("%", "%25"),
        ("50%", "50%25"),
        ("__x__", "%5F_x__"),
        ("____", "%5F___"),
        ("___", "___"),
        ("__x", "__x"),
        ("%5F_x__", "%255F_x__"),
        ("__%__", "%5F_%25__"),
        ("__a\nb__", "%5F_a\nb__"),
        ("a.b`", "a.b`"),
    ],
)
def test_forbidden_names_are_escaped(name: str, escaped: str) -> None:
    assert (escape_name(name), unescape_name(escaped)) == (escaped, name)


@given(name=text | st.text("_%5Fx", max_size=8))
def test_escaping_is_reversible_and_always_legal(name: str) -> None:
    escaped = escape_name(name)
    assert unescape_name(escaped) == name
    assert escaped
    assert not (escaped.startswith("__") and escaped.endswith("__") and len(escaped) >= 4)


@given(first=st.text("_%5Fx", max_size=6), second=st.text("_%5Fx", max_size=6))
def test_different_names_stay_different(first: str, second: str) -> None:
    assert (escape_name(first) == escape_name(second)) == (first == second)


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"", Content("empty", "")),
        (b"hello", Content("text", "hello")),
        (b"12", Content("text", "12")),
        (b'"text"', Content("text", '"text"')),
        (b"null", Content("text", "null")),
        (b"{broken", Content("text", "{broken")),
        (b"{'a': 1}", Content("text", "{'a': 1}")),
        (b'{"a": NaN}', Content("text", '{"a": NaN}')),
        (b"\xff\x00", Content("binary", "ff 00")),
        (b"[1, 2]", Content("json", "[1, 2]")),
        (b' {"a": "b"}', Content("json", '{"a": "b"}', (("a", "b"),))),
        (b'{\r\n\t"a":\n\n  1\n}', Content("json", '{ "a": 1 }', (("a", "1"),))),
        (b'\t{"a"\t:\t\t1, \t"b" \r: 2 }', Content("json", '{"a" : 1, "b" : 2 }', (("a", "1"), ("b", "2")))),
        (b'\xef\xbb\xbf{"a":1}', Content("json", '{"a":1}', (("a", "1"),))),
        (b'\xef\xbb\xbf\r\n[{"a":1}]', Content("json", '[{"a":1}]')),
        (b'\xef\xbb\xbf{"a":"\\ud800"}', Content("json", '{"a":"\\ud800"}', (("a", "\ud800"),))),
        (b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}', Content("text", r'\ufeff\ufeff{"a":1}')),
        (b"\xef\xbb\xbftext", Content("text", r"\ufefftext")),
        ("{\u2028}".encode(), Content("text", "{\\u2028}")),
        ('{"a": "b\u202ec"}'.encode(), Content("json", '{"a": "b\\u202ec"}', (("a", "b\u202ec"),))),
        (b"a\tb\nc\x7f\x00", Content("text", r"a\tb\nc\u007f\u0000")),
        (
            b'{"n": 0.10, "i": 12345678901234567890, "t": true, "f": false, "z": null, "o": {}, "l": []}',
            Content(
                "json",
                '{"n": 0.10, "i": 12345678901234567890, "t": true, "f": false, "z": null, "o": {}, "l": []}',
                (("n", "0.10"), ("i", "12345678901234567890"), ("t", "true"), ("f", "false"), ("z", "null")),
            ),
        ),
    ],
)
def test_payload_gives_kind_preview_and_scalars(data: bytes, content: Content) -> None:
    assert read_content(data) == content


@given(data=st.binary() | text.map(str.encode) | st.recursive(text, st.lists).map(lambda v: json.dumps(v).encode()))
def test_every_preview_is_short_and_visible(data: bytes) -> None:
    content = read_content(data)
    assert len(content.preview) <= PREVIEW_CHARACTERS
    assert is_visible(content.preview)
    assert (content.kind == "empty") == (not data)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 900_000 + b"}",
        b"{" + b" " * 1_000_000 + b"}",
        b'{"a"\n' + b" \n" * 1000 + b":1}",
        b"[" + b"[]," * 300_000 + b"[]]",
        b"\x00" * 10_000_000,
        b"\xff" * 10_000_000,
        b'{"a": "\\ud800"}',
    ],
    ids=lambda data: repr(data[:8]),
)
def test_hostile_payload_is_read_cheaply(data: bytes) -> None:
    assert_cheap(lambda: index_tokens({}, read_content(data).scalars), loops=50)


@pytest.mark.parametrize(
    ("attributes", "scalars", "tokens"),
    [
        ({}, (), []),
        ({"a": "b"}, (("a", "b"),), ["a=b", "data.a=b"]),
        ({"data.a": "b"}, (("a", "b"),), ["data.a=b"]),
        ({"": ""}, (), ["="]),
        ({"k": "v" * 498}, (), ["k=" + "v" * 498]),
        ({"k": "v" * 499, "l": "m"}, (), ["l=m"]),
        ({"k": "é" * 250}, (), []),
        ({}, (("k", "\ud800"),), []),
    ],
)
def test_tokens_are_exact_or_left_out(
    attributes: dict[str, str], scalars: tuple[tuple[str, str], ...], tokens: list[str]
) -> None:
    assert index_tokens(attributes, scalars) == tokens


def test_more_than_thirty_tokens_are_cut_attributes_first() -> None:
    attributes = {f"a{number}": "x" for number in range(20)}
    scalars = tuple((f"s{number}", "x") for number in range(20))
    tokens = index_tokens(attributes, scalars)
    assert len(tokens) == MAX_TOKENS
    assert tokens[:20] == [f"a{number}=x" for number in range(20)]
    assert tokens[-1] == MORE_TOKENS, "it does not say that there are more"


def test_exactly_thirty_tokens_are_all_kept() -> None:
    attributes = {f"a{number}": "x" for number in range(MAX_TOKENS)} | {"long": "x" * 600}
    assert index_tokens(attributes, ()) == [f"a{number}=x" for number in range(MAX_TOKENS)]


def test_cursor_survives_writing_and_parsing() -> None:
    cursor = Cursor(AT, ID)
    assert str(cursor) == f"1767323045678901-{ID}"
    assert Cursor.parse(str(cursor)) == cursor
    assert Cursor(AT, "0" * 32) < cursor < Cursor(AT.replace(second=6), "0" * 32)


@pytest.mark.parametrize(
    "wrong",
    ["", "1", f"-1-{ID}", f"1-{ID}x", f"1.5-{ID}", f"{'9' * 18}-{ID}", f"{'9' * 19}-{ID}", f"١-{ID}", f"1-{ID}\n"],
)
def test_invalid_cursor_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        Cursor.parse(wrong)
