"""Regular expressions: their own syntax, the texts that they search, and a cost that no pattern exceeds."""

import json
import random

import pytest

from infra.messages.chunks import INLINE_BYTES
from infra.messages.masking import Mask
from infra.query import QueryError, parse, quoted
from infra.query.content_terms import Contains, Equals, Matches, Text
from infra.query.expressions import MAX_CHARACTERS, MAX_INSTRUCTIONS, expression
from infra.query.terms import AnyOf, Not, Term
from tests.support.cpu_cost import assert_cheap
from tests.support.received import NOW, message


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("/time.?out/", [Matches("", "time.?out")]),
        ("-/a|b/ c", [Not(Matches("", "a|b")), Text("c")]),
        ("/connection (refused|reset)/", [Matches("", "connection (refused|reset)")]),
        (r"/a\/b+/", [Matches("", r"a\/b+")]),
        ('/"id":"[0-9]+"/', [Matches("", '"id":"[0-9]+"')]),
        (r"url=~/^\/orders\/\d+$/", [Matches("url", r"^\/orders\/\d+$")]),
        ("data.name=~/^a b/", [Matches("data.name", "^a b")]),
        ("(/a+/ OR /b+/)", [AnyOf((Matches("", "a+"), Matches("", "b+")))]),
        # Parts of paths are texts, as they always were.
        ("/api/v1.0 /orders/ /v1/a.b/ /", [*map(Text, ("/api/v1.0", "/orders/", "/v1/a.b/", "/"))]),
        ("/usr /etc/hosts", [Text("/usr"), Text("/etc/hosts")]),
        ("/a+b", [Text("/a+b")]),
        ("url=/a+/ path~/x?/", [Equals("url", "/a+/"), Contains("path", "/x?/")]),
        ('"/a+/"', [Text("/a+/")]),
        ("a/b+/", [Text("a/b+/")]),
    ],
)
def test_expression_is_told_from_text(text: str, terms: list[Term]) -> None:
    assert parse(text, NOW).terms == tuple(terms)


@pytest.mark.parametrize(
    ("text", "column", "start"),
    [
        ("a /(b*/", 4, "this is no expression of RE2: missing ): (b*; in quotes it is text."),
        (r"/(a)\1/", 2, r"this is no expression of RE2: invalid escape sequence: \1"),
        ("/(?=a)/", 2, "this is no expression of RE2: invalid perl operator: (?="),
        ("/[a/", 2, "this is no expression of RE2: missing ]: [a"),
        ("name=~/a{2000}|/", 8, "this is no expression of RE2: invalid repetition size: {2000}"),
        (f"/a*{'b' * MAX_CHARACTERS}/", 2, "an expression has at most 500 characters, this one 502"),
        (r"/\pL+/", 2, "this expression has 1,202 instructions, at most 200 are searched: a repetition such as {100}"),
        ("/a.{100}b/", 2, "this expression has 8"),
        (r"/\pL{100}/", 2, "this is no expression of RE2: pattern too large - compile failed"),
        ("/[ab]{150}/ -/[cd]{150}/", 13, "the expressions of a filter have at most 200 instructions together; found 3"),
        ("/1+/ /2+/ /3+/ /4+/ /5+/ /1+/ /6+/", 31, "a filter has at most 5 different expressions."),
        ("name=~a.*", 5, "name~value finds a part of a value, name=~/v.*/ an expression"),
    ],
)
def test_invalid_expression_names_problem_and_column(text: str, column: int, start: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, NOW)
    assert (caught.value.column, caught.value.problem[: len(start)]) == (column, start)


STORED = message(
    rb'{"city": "M\u00fcnchen", "path": "\/orders\/17", "user": {"name": "Ana Maria"},'
    rb' "items": [{"id": "a1"}, {"id": "b2"}]}',
    attributes={"status": "FAILED", "url": "/orders/17"},
    ordering_key="user-7",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/m.nchen/ /MÜNCHEN+/", True),
        (r"/^\{.city/ /\}$/", True),
        (r"/\/orders\/[0-9]+/", True),
        ("/^fail(ed|s)$/", True),
        ("/(?-i)failed|nowhere/", False),
        ("/^user-[0-9]$/ /^77000.$/ /^stat.s$/", True),
        ("/^orders|^17/", False),
        (r"url=~/^\/orders\/\d+$/ -url=~/^orders.*/", True),
        ("data.user.name=~/^ana m/ data.city=~/^.{7}$/", True),
        ("data.items.*.id=~/^b.$/ -data.items.*.id=~/^.$/", True),
        ("data.items=~/.*/", False),
        ("status=~/^$/", False),
    ],
)
def test_expression_matches_the_right_messages(text: str, expected: bool) -> None:
    assert parse(text, NOW).matches(STORED) is expected


def test_expression_of_a_large_payload_sees_its_preview_and_top_level_fields() -> None:
    stored = message(b'{"status": "Failed", "rest": "' + b"x" * INLINE_BYTES + b' the end"}')
    assert parse("/status.*failed/ data.status=~/^f.*d$/ -/the end$|the.end/", NOW).matches(stored)


def test_expression_matches_bytes_that_are_no_text() -> None:
    stored = message(b"\xff\xfe hidden words")
    assert parse("/hidden.words/", NOW).matches(stored)


@pytest.mark.parametrize("text", ["/4[0-9]/", "data.card=~/4.*/", "data.*=~/4.*/", "/^.*4.*$/"])
def test_masked_value_matches_no_expression(text: str) -> None:
    stored = message(b'{"card": "42", "x": 1}', message_id="1")
    assert parse(text, NOW).matches(stored)
    assert not parse(text, NOW).matches(Mask(("data.card",)).see(stored))


@pytest.mark.parametrize(
    "text", ["/a+/", "/a b*/", "x*/", "/x*", "/orders/", "a(b)", ")", "AND", "a!", "!", "a<b", "/"]
)
def test_quoted_text_is_never_an_operator(text: str) -> None:
    assert parse(quoted(text), NOW).terms == (Text(text),)
    assert parse(f"({quoted(text)}={quoted(text)} OR {quoted(text)})", NOW).terms == (
        AnyOf((Equals(text, text), Text(text))),
    )


_RANDOM = random.Random(1)
LETTERS = "".join(_RANDOM.choice("ab") for _ in range(INLINE_BYTES)).encode()
ESCAPED = json.dumps({"a": LETTERS.decode()[:-40] + "\n"}).encode()


@pytest.mark.parametrize("data", [LETTERS, b"a" * INLINE_BYTES, ESCAPED], ids=["letters", "same", "escaped"])
@pytest.mark.parametrize(
    "pattern", ["[ab]*a[ab]{190}c", "(?:a?){62}a{62}z", "((a{0,9}){0,9})Z", "(x+x+)+y", "(a*)*$", r"(.*a){20}Z"]
)
def test_costliest_expression_is_searched_in_bounded_time(pattern: str, data: bytes) -> None:
    """Each instruction costs at most 0.2 ms on the machine of ``assert_cheap``, twice if the payload has escapes."""
    assert expression(pattern).instructions <= MAX_INSTRUCTIONS
    query, stored = parse(f"/{pattern}/", NOW), message(data)
    query.matches(stored)
    assert_cheap(lambda: query.matches(stored), loops=8)


def test_many_attributes_are_searched_cheaply() -> None:
    stored = message(b"{}", attributes={f"name{number}": "x" * 1_000 for number in range(100)})
    query = parse(" ".join(f"-/nowhere{number}+/" for number in range(5)), NOW)
    assert_cheap(lambda: query.matches(stored), loops=3)


def test_expression_of_many_values_is_searched_cheaply() -> None:
    stored = message(b'{"a":[' + b",".join(b"%d" % number for number in range(1_000, 4_200)) + b"]}")
    query = parse(" ".join(f"-data.a.*=~/^x{number}+$/" for number in range(5)), NOW)
    assert_cheap(lambda: query.matches(stored), loops=8)
