"""Filters of saved views and bookmarks from before comparisons, groups and expressions: they keep their meaning."""

import pytest

from infra.query import parse
from infra.query.content_terms import Contains, Equals, Text
from infra.query.explain import hints
from infra.query.terms import AnyOf, Has, IdIs, KindIs, Larger, Not, OrderingKeyIs, SubscriptionIs, Term
from tests.support.received import NOW


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("timeout", [Text("timeout")]),
        ('"connection refused"', [Text("connection refused")]),
        ("status=FAILURE type=build", [Equals("status", "FAILURE"), Equals("type", "build")]),
        ('"odd name"="two words"', [Equals("odd name", "two words")]),
        ("data.id=42 data.items.*.id=7", [Equals("data.id", "42"), Equals("data.items.*.id", "7")]),
        ("status~fail status~", [Contains("status", "fail"), Contains("status", "")]),
        ("-type=heartbeat", [Not(Equals("type", "heartbeat"))]),
        ("status=FAILURE OR status=TIMEOUT", [AnyOf((Equals("status", "FAILURE"), Equals("status", "TIMEOUT")))]),
        ("kind:json larger:10kb", [KindIs("json"), Larger(10_000)]),
        ("has:redelivery has:key has:data", [Has("redelivery"), Has("key"), Has("data")]),
        ("key:user-7 id:1234 subscription:s", [OrderingKeyIs("user-7"), IdIs("1234"), SubscriptionIs("s")]),
        # Signs that are operators now, where they were text.
        ("<html> <a> >5 -<x", [*map(Text, ("<html>", "<a>", ">5")), Not(Text("<x"))]),
        ("10:42>5 10.0.0.1:80<x", [Text("10:42>5"), Text("10.0.0.1:80<x")]),
        ("body=<b> a=>5 a=(b)", [Equals("body", "<b>"), Equals("a", ">5"), Equals("a", "(b)")]),
        ("url=https://x/?a>b b~(c", [Equals("url", "https://x/?a>b"), Contains("b", "(c")]),
        ("f(x) main() :) a) )", [*map(Text, ("f(x)", "main()", ":)", "a)", ")"))]),
        ("/api/v1 /orders/ /a/b/c/ / // a/b", [*map(Text, ("/api/v1", "/orders/", "/a/b/c/", "/", "//", "a/b"))]),
        ("/usr/*/x /var/log /etc", [*map(Text, ("/usr/*/x", "/var/log", "/etc"))]),
        ("/a=b/ /a~b", [Equals("/a", "b/"), Contains("/a", "b")]),
        ("a / b.*x / c data.x!kind:json", [*map(Text, ("a", "/", "b.*x", "/", "c", "data.x!kind:json"))]),
        ("1..2 a..b ... x.y:z", [*map(Text, ("1..2", "a..b", "...", "x.y:z"))]),
        ("wow! !! a!b=c !=x", [Text("wow!"), Text("!!"), Equals("a!b", "c"), Equals("!", "x")]),
        ("size=5 deliveries=2 attempt~1", [Equals("size", "5"), Equals("deliveries", "2"), Contains("attempt", "1")]),
        ('"(a)" "a>b" "/a.*/" "AND"', [*map(Text, ("(a)", "a>b", "/a.*/", "AND"))]),
        ('"a>b"=1 "(x)"~y -"/a+/"', [Equals("a>b", "1"), Contains("(x)", "y"), Not(Text("/a+/"))]),
    ],
)
def test_filter_means_what_it_meant(text: str, terms: list[Term]) -> None:
    assert parse(text, NOW).terms == tuple(terms)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("/orders/", "/orders/ is text with its slashes: a regular expression has one of "),
        ("a -/orders/", "/orders/ is text with its slashes"),
        ("a) b", "a) is text: no bracket is open before its )."),
        ('"/orders/" f(x) /v1/orders "a)" /a.b/ (c)', ""),
    ],
)
def test_text_that_may_be_meant_as_an_operator_has_a_hint(text: str, hint: str) -> None:
    found = list(hints(parse(text, NOW)))
    assert [sentence[: len(hint)] for sentence in found] == ([hint] if hint else [])
