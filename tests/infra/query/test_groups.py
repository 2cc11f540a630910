"""Brackets: groups, AND, OR and negation become one tree, of which the index takes what it can answer."""

import contextlib
from datetime import timedelta

import pytest

from infra.query import QueryError, parse
from infra.query.content_terms import Equals, Text
from infra.query.terms import After, AllOf, AnyOf, Before, Not, Term
from tests.support.cpu_cost import assert_cheap
from tests.support.received import NOW, message

A, B, C, D = (Text(letter) for letter in "abcd")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("(a)", [A]),
        ("(a b) c", [AllOf((A, B)), C]),
        ("(a OR b) c", [AnyOf((A, B)), C]),
        ("a OR (b c) OR d", [AnyOf((A, AllOf((B, C)), D))]),
        ("a AND b AND c", [A, B, C]),
        ("(a AND b) OR c", [AnyOf((AllOf((A, B)), C))]),
        ("a AND (b OR c)", [A, AnyOf((B, C))]),
        ("(a OR b)(c)d", [AnyOf((A, B)), C, D]),
        ("-(a b)", [AnyOf((Not(A), Not(B)))]),
        ("-(a OR -b)", [AllOf((Not(A), B))]),
        ("-(a -(b OR c))", [AnyOf((Not(A), AnyOf((B, C))))]),
        ("-(before:1h OR a)", [AllOf((After(NOW - timedelta(hours=1)), Not(A)))]),
        ("( a  OR\tb )", [AnyOf((A, B))]),
        ('("a)" OR f(x))', [AnyOf((Text("a)"), Text("f(x)")))]),
        ("(n=f(1) OR n=(2))", [AnyOf((Equals("n", "f(1)"), Equals("n", "(2)")))]),
        ("f(x) a) :) )", [Text("f(x)"), Text("a)"), Text(":)"), Text(")")]),
        ('"(" -"(a)" "AND" -AND', [Text("("), Not(Text("(a)")), Text("AND"), Not(Text("AND"))]),
        ("AND=3", [Equals("AND", "3")]),
    ],
)
def test_brackets_are_parsed_to_a_tree(text: str, terms: list[Term]) -> None:
    assert parse(text, NOW).terms == tuple(terms)


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("a (b", 3, "this bracket is not closed; in quotes it is text."),
        ("a -(b (c)", 4, "this bracket is not closed; in quotes it is text."),
        ("()", 2, "there is nothing between the brackets; in quotes they are text."),
        ("--(a)", 3, "one - before a bracket negates the group; in quotes it is text."),
        ("a AND b OR c", 9, "AND and OR beside each other need brackets: a AND (b OR c), or (a AND b) OR c."),
        ("(a OR b x AND c)", 11, "AND and OR beside each other need brackets: a AND (b OR c), or (a AND b) OR c."),
        ("AND a", 1, "AND stands between two terms; in quotes it is text."),
        ("a AND", 3, "AND stands between two terms; in quotes it is text."),
        ("(a OR) b", 4, "OR stands between two terms; in quotes it is text."),
        ("a AND OR b", 7, "OR stands between two terms; in quotes it is text."),
        ("(" * 11 + "a" + ")" * 11, 11, "brackets are at most 10 deep."),
        ("(" + "x " * 31 + ")", 62, "a filter has at most 30 terms."),
        ("(a b=c>d (a>b))", 13, "a comparison needs a number or a time"),
        ("(a and b)", 4, "all terms hold anyway, so leave and out; in quotes it is text."),
    ],
)
def test_invalid_brackets_name_problem_and_column(text: str, column: int, problem: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, NOW)
    assert (caught.value.column, caught.value.problem[: len(problem)]) == (column, problem)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("(a=1 OR a=2) word", ["a=1", "a=2"]),
        ("(a=1 word) OR (a=2 b=3 word)", ["a=1", "a=2"]),
        ("(a=1 OR word) b=3", ["b=3"]),
        ("(a=1 OR word)", []),
        ("-(a=1 b=2)", []),
        ("-(-a=1 OR b=2)", ["a=1"]),
        ("(a=1 OR a=2 OR a=3) OR (a=4 OR a=5)", ["a=1", "a=2", "a=3", "a=4", "a=5"]),
        ("(a=1 OR a=2 OR a=3) OR (a=4 OR a=5 OR a=6)", []),
        ("a=1 AND data.total>5", ["a=1"]),
        ("a!=1", []),
    ],
)
def test_group_offers_index_tokens(text: str, tokens: list[str]) -> None:
    assert parse(text, NOW).tokens == tuple(tokens)


def test_group_offers_times_and_subscription() -> None:
    query = parse("((after:2h word) OR (after:1h a=1)) -(before:3h OR x) (subscription:s OR subscription:s)", NOW)
    assert (query.after, query.before, query.subscription) == (NOW - timedelta(hours=2), None, "s")
    assert parse("(before:2h OR before:1h) (after:5h OR x)", NOW).before == NOW - timedelta(hours=1)
    assert parse("(after:5h OR x)", NOW).after is None
    assert parse("(subscription:s OR subscription:t)", NOW).subscription == ""
    assert parse("-(after:1h OR a)", NOW).terms == (AllOf((Before(NOW - timedelta(hours=1)), Not(A))),)


def test_sources_keep_groups_whole() -> None:
    query = parse("after:1h  -(a  OR after:2h) AND b (c)", NOW)
    assert query.sources == ("after:1h", "-(a  OR after:2h)", "b", "(c)")
    assert query.timeless == "-(a  OR after:2h) b (c)"
    assert parse("a OR (b c) after:1h", NOW).timeless == "a OR (b c)"


STORED = message(b'{"total": 7}', attributes={"status": "PAID", "team": "blue"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(status=PAID OR status=NEW) team=blue", True),
        ("(status=PAID team=red) OR data.total>5", True),
        ("-(status=PAID team=red)", True),
        ("-(status=PAID OR team=red)", False),
        ("status=NEW OR (team=blue -(data.total<5 OR has:data.x))", True),
        ("(status=PAID AND team=blue) OR nowhere", True),
        ("-(-(status=PAID))", True),
    ],
)
def test_group_matches_the_right_messages(text: str, expected: bool) -> None:
    assert parse(text, NOW).matches(STORED) is expected


@pytest.mark.parametrize("text", ["(" * 2_000, "-(" * 1_000, "(a)" * 600, "a)" * 1_000, "/a /" * 500, "a:.." * 500])
def test_longest_brackets_are_parsed_cheaply(text: str) -> None:
    def attempt() -> None:
        with contextlib.suppress(QueryError):
            parse(text, NOW)

    assert_cheap(attempt, loops=5)
