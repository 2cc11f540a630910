"""Operators of other filter languages: a sentence instead of a silent miss; in quotes all of them are reachable."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.query import QueryError, parse, quoted
from infra.query.content_terms import Contains, Equals, Text
from infra.query.syntax.foreign import foreign_at
from infra.query.terms import Not, Term
from tests.support.cpu_cost import assert_cheap

NOW = datetime(2026, 11, 23, 10, 42, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "column", "start"),
    [
        ("status!~x", 7, "a - before a term negates it"),
        ("!status=FAILURE", 1, "a - before a term negates it"),
        ("!timeout", 1, "a - before a term negates it"),
        ("status<>SUCCESS", 7, "values that differ are found by != (name!=value)"),
        ("not status=SUCCESS", 1, "a - before a term negates it; in quotes it is text."),
        ("a Not b", 3, "a - before a term negates it"),
        (
            "status==FAILURE",
            7,
            "one = is enough (name=value); in quotes, the second one is part of the value",
        ),
        ("status == FAILURE", 8, "a name is missing before =; in quotes it is text."),
        ("status=~FAIL", 7, "name~value finds a part of a value"),
        ("data.amount >= 10", 13, "an operator has no spaces around it (name>=10)"),
        ("data.amount < 10", 13, "an operator has no spaces around it"),
        ("a != 10", 3, "an operator has no spaces around it"),
        ("status=FAIL*", 12, "a value has no wildcards: name~part finds a part, name~ any value"),
        ("status=*", 8, "a value has no wildcards"),
        ("file=*.txt", 6, "a value has no wildcards"),
        ("status~FAIL*", 12, "a value has no wildcards"),
        ("FAIL*", 5, "a text is found within words anyway"),
        ("a *", 3, "an empty filter finds every message"),
        ("attributes.status=FAILURE", 1, "an attribute has no prefix (name=value)"),
        ('-attributes.status="FAILURE"', 2, "an attribute has no prefix"),
        ("message.attributes.status=x", 1, "an attribute has no prefix"),
        ("attributes.size>7", 1, "an attribute has no prefix"),
        ('hasPrefix(attributes.name, "x")', 1, "name~part finds the values that contain a part"),
        ("data.user.id:42", 13, "a field equals a value by =, and contains a text by ~"),
        ("a=1 or b=2", 5, "alternatives are joined by OR, in capitals; in quotes it is text."),
        ("this or", 6, "alternatives are joined by OR, in capitals"),
        ("this not", 6, "a - before a term negates it"),
        ("cats and dogs", 6, "all terms hold anyway, so leave and out; in quotes it is text."),
        ("a | b", 3, "alternatives are joined by OR; in quotes it is text."),
        ("a & b", 3, "all terms hold anyway, so leave & out"),
        ("status='FAILURE'", 8, "double quotes enclose a value"),
    ],
)
def test_foreign_operator_is_explained_where_it_is(text: str, column: int, start: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, NOW)
    assert (caught.value.column, caught.value.problem[: len(start)]) == (column, start)
    assert "in quotes" in caught.value.problem or "within them" in caught.value.problem
    assert caught.value.problem.endswith(".")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ('"status!"=x', [Equals("status!", "x")]),
        ('"a>b"=1 "<>"=2', [Equals("a>b", "1"), Equals("<>", "2")]),
        ('"attributes.status"=x', [Equals("attributes.status", "x")]),
        ('status="=FAILURE" status="~x"', [Equals("status", "=FAILURE"), Equals("status", "~x")]),
        ('status="FAIL*" "FAIL*" "*"', [Equals("status", "FAIL*"), Text("FAIL*"), Text("*")]),
        ("status=\"'x'\" it's", [Equals("status", "'x'"), Text("it's")]),
        ('"!status"~x -"!important"', [Contains("!status", "x"), Not(Text("!important"))]),
        ('"data.x:y" "or" "not" "and" x', [*map(Text, ("data.x:y", "or", "not", "and", "x"))]),
        ("or", [Text("or")]),
        ("not", [Text("not")]),
        ("or this", [Text("or"), Text("this")]),
        ("or=1 not=2 AND=3", [Equals("or", "1"), Equals("not", "2"), Equals("AND", "3")]),
        ("body=<b> a!b=c a=b*c", [Equals("body", "<b>"), Equals("a!b", "c"), Equals("a", "b*c")]),
        ("<html> wow! !!", [Text("<html>"), Text("wow!"), Text("!!")]),
        (
            "attributes attribute=x data.*.id=7",
            [Text("attributes"), Equals("attribute", "x"), Equals("data.*.id", "7")],
        ),
    ],
)
def test_quoted_and_ordinary_words_keep_their_meaning(text: str, terms: list[Term]) -> None:
    assert parse(text, NOW).terms == tuple(terms)


WORDS = st.text(st.sampled_from("ab!=~<>*'&|:.\"- ")) | st.sampled_from(
    ["or", "Not", "and", "attributes.x", "data.x:y"]
)


@given(WORDS, WORDS)
@example("attributes.x", "FAIL*")
@example("!", "*")
@example("hasPrefix(", "'x'")
def test_quoted_name_and_value_are_found(key: str, value: str) -> None:
    assert parse(f"{quoted(key)}={quoted(value)}", NOW).terms == (Equals(key, value),)
    assert parse(f"-{quoted(key)}~{quoted(value)}", NOW).terms == (Not(Contains(key, value)),)
    if key:
        assert parse(f"{quoted(key)} {quoted(key)}", NOW).terms == (Text(key), Text(key))


@pytest.mark.parametrize(
    "text", ["!" * 2_000, '"' * 2_000, "a!" * 1_000, "attributes." * 180, "a=" + "*a" * 990, "." * 2_000]
)
def test_longest_term_is_looked_at_cheaply(text: str) -> None:
    assert_cheap(lambda: foreign_at(text), loops=0.5)
