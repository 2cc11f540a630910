"""The filter language: the terms of a text, the error for an invalid one, and the messages that match."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.messages.chunks import INLINE_BYTES
from infra.messages.message import MAX_TOKENS, Message
from infra.messages.visible_text import is_visible
from infra.query import MAX_CHARACTERS, MAX_TERMS, PREFIXES, Query, QueryError, parse, quoted
from infra.query.content_terms import Contains, Equals, Text
from infra.query.derived_terms import SeverityIs, TraceIs
from infra.query.terms import (
    After,
    AnyOf,
    Before,
    Has,
    IdIs,
    KindIs,
    Larger,
    Not,
    OrderingKeyIs,
    Smaller,
    SubscriptionIs,
    Term,
)
from tests.support.cpu_cost import assert_cheap
from tests.support.received import NOW, message

BAD_ESCAPE = r"within quotes a backslash begins \" \\ \n \r \t, \u and four, or \U and eight hex digits."

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("  \t ", []),
        ("hello", [Text("hello")]),
        ("hello  world", [Text("hello"), Text("world")]),
        ('"hello  world"', [Text("hello  world")]),
        ('he"l l"o', [Text("hel lo")]),
        ("status=FAILED", [Equals("status", "FAILED")]),
        ("status=", [Equals("status", "")]),
        ("a=b=c", [Equals("a", "b=c")]),
        ('"a=b"', [Text("a=b")]),
        ('"a b"="c d"', [Equals("a b", "c d")]),
        ('""=x', [Equals("", "x")]),
        ("data.user.id=42", [Equals("data.user.id", "42")]),
        ("severity=Warn", [SeverityIs("WARNING", "Warn")]),
        ("severity=sev-1", [Equals("severity", "sev-1")]),
        ("-severity=debug", [Not(SeverityIs("DEBUG", "debug"))]),
        (f"trace={TRACE.upper()}", [TraceIs(TRACE, TRACE.upper())]),
        ("trace=on", [Equals("trace", "on")]),
        ("status~fail", [Contains("status", "fail")]),
        ("status~", [Contains("status", "")]),
        ("url=https://x/?a~b", [Equals("url", "https://x/?a~b")]),
        ("-type=heartbeat", [Not(Equals("type", "heartbeat"))]),
        ('-"not this"', [Not(Text("not this"))]),
        ("--x", [Not(Text("-x"))]),
        ('"-x"', [Text("-x")]),
        ("-kind:binary", [Not(KindIs("binary"))]),
        ("KIND:Json", [KindIs("json")]),
        ("larger:10kb", [Larger(10_000)]),
        ("larger:1.5MiB smaller:2m", [Larger(1_572_864), Smaller(2_000_000)]),
        ("smaller:100", [Smaller(100)]),
        ("has:redelivery", [Has("redelivery")]),
        ("after:10m", [After(NOW - timedelta(minutes=10))]),
        ("after:3D before:90s", [After(NOW - timedelta(days=3)), Before(NOW - timedelta(seconds=90))]),
        ("before:2026-11-23T10:00Z", [Before(datetime(2026, 11, 23, 10, tzinfo=UTC))]),
        ("after:2026-11-23", [After(datetime(2026, 11, 23, tzinfo=UTC))]),
        ("after:2026-11-23T10:00:01.5+02:00", [After(datetime(2026, 11, 23, 8, 0, 1, 500_000, tzinfo=UTC))]),
        ("-after:10m", [Before(NOW - timedelta(minutes=10))]),
        ("-before:10m", [After(NOW - timedelta(minutes=10))]),
        ("after:99999w", [After(datetime(1970, 1, 1, tzinfo=UTC))]),
        ("subscription:builds", [SubscriptionIs("builds")]),
        ("id:1234", [IdIs("1234")]),
        ('key:"user 7"', [OrderingKeyIs("user 7")]),
        ("10:42", [Text("10:42")]),
        ('"kind:json"', [Text("kind:json")]),
        (r'"say \"hi\" \\ \n\r\t\u00e9"', [Text('say "hi" \\ \n\r\té')]),
        (r"C:\temp"[1:], [Text(r":\temp")]),
        ("größe=ä", [Equals("größe", "ä")]),
        ("x y", [Text("x"), Text("y")]),
        ("a=1 OR a=2", [AnyOf((Equals("a", "1"), Equals("a", "2")))]),
        (
            "w a=1 OR -b OR kind:json v",
            [Text("w"), AnyOf((Equals("a", "1"), Not(Text("b")), KindIs("json"))), Text("v")],
        ),
        (
            '"OR" "or" -OR "(x)" f(x) "AND"',
            [*map(Text, ("OR", "or")), Not(Text("OR")), *map(Text, ("(x)", "f(x)", "AND"))],
        ),
    ],
)
def test_filter_is_parsed_to_terms(text: str, terms: list[Term]) -> None:
    assert parse(text, NOW).terms == tuple(terms)


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("=x", 1, "a name is missing before =; in quotes it is text."),
        ("ok ~x", 4, "a name is missing before ~; in quotes it is text."),
        ("ok -", 4, "nothing follows the -; in quotes it is text."),
        ('ok "half', 4, "this quote is not closed."),
        ('a="half', 3, "this quote is not closed."),
        ('""', 1, "there is nothing between the quotes."),
        (r'"a\x"', 3, BAD_ESCAPE),
        (r'"\ud800"', 2, BAD_ESCAPE),
        (r'"\U0000d800"', 2, BAD_ESCAPE),
        (r'"\U00110000"', 2, BAD_ESCAPE),
        (r'"\U0001f60"', 2, BAD_ESCAPE),
        (
            "status=x -levl:high",
            11,
            f"levl: is not known; known are {', '.join(name + ':' for name in PREFIXES)}. In quotes it is text.",
        ),
        ("kind:", 6, "something is missing after kind:"),
        ("kind:xml", 6, "a kind is one of json, text, binary, empty; found 'xml'."),
        ("has:", 5, "something is missing after has:"),
        ("larger:big", 8, "a size is a number and b, kb, mb, gb, kib, mib or gib, for example 10kb; found 'big'."),
        ("larger:1ib", 8, "a size is a number and b, kb, mb, gb, kib, mib or gib, for example 10kb; found '1ib'."),
        ("after:10ſ", 7, "a time is 30s, 10m, 2h, 3d or 1w ago, or for example 2026-11-23T10:00Z; found '10ſ'."),
        (
            "larger:10\u212a",
            8,
            "a size is a number and b, kb, mb, gb, kib, mib or gib, for example 10kb; found '10\u212a'.",
        ),
        ("after:soon", 7, "a time is 30s, 10m, 2h, 3d or 1w ago, or for example 2026-11-23T10:00Z; found 'soon'."),
        (
            "after:0001-01-01T00:00+14:00",
            7,
            "a time is 30s, 10m, 2h, 3d or 1w ago, or for example 2026-11-23T10:00Z; found '0001-01-01T00:00+14:00'.",
        ),
        ("x" * 2001, 2001, "a filter has at most 2,000 characters."),
        ("x " * 31, 61, "a filter has at most 30 terms."),
        (
            "data.*=1 data.*~2 " + " ".join(f"data.{step}.*=x" for step in "abcde"),
            63,
            "a filter has at most 5 different paths with *; the same path counts once.",
        ),
        ("OR a", 1, "OR stands between two terms; in quotes it is text."),
        ("a OR", 3, "OR stands between two terms; in quotes it is text."),
        ("a OR OR b", 6, "OR stands between two terms; in quotes it is text."),
        ("a || b", 3, "alternatives are joined by OR; in quotes it is text."),
    ],
)
def test_invalid_filter_names_problem_and_column(text: str, column: int, problem: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, NOW)
    assert (caught.value.column, caught.value.problem) == (column, problem)
    assert str(caught.value) == f"q: at column {column}, {problem}"
    assert caught.value.status == 400


LANGUAGE = st.text(st.sampled_from('ab-=~:" \\un09.*kindafter\u2003é\ud800\x00') | st.characters(), max_size=60)


@given(LANGUAGE)
@example("after:" + "9" * 1900)
@example("larger:" + "9" * 1900 + "gb")
def test_any_text_parses_or_raises_query_error(text: str) -> None:
    assert 0 <= column_of_error(text) <= len(text) + 1


def column_of_error(text: str) -> int:
    try:
        parse(text, NOW)
    except QueryError as error:
        return error.column
    return 0


@pytest.mark.parametrize(
    "text",
    ["a" * 2000, '"' * 2000, '"a" ' * 30, "-" * 2000, "a=" * 1000, "\\" * 2000, " " * 2000, '"' + "\\n" * 999 + '"'],
    ids=lambda text: text[:4],
)
def test_longest_filter_is_parsed_cheaply(text: str) -> None:
    assert len(text) <= MAX_CHARACTERS
    assert_cheap(lambda: column_of_error(text), loops=5)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("می\u200cخواهم بروم", '"می\u200cخواهم بروم"'),
        ("a\u200cb", r'"a\u200cb"'),
        ("10\xa0km", '"10\xa0km"'),
        ("👩\u200d💻", "👩\u200d💻"),
        ("a\U000e0041", r'"a\U000e0041"'),
        ("\x85\u202e\n\\n", r'"\u0085\u202e\n\\n"'),
    ],
)
def test_quoted_text_shows_the_characters_that_a_page_shows(text: str, written: str) -> None:
    assert quoted(text) == written
    assert parse(f"name={written}", NOW).terms == (Equals("name", text),)


@given(st.text(max_size=40), st.text(max_size=40))
def test_quoted_text_matches_itself(key: str, value: str) -> None:
    key, value = (text.encode(errors="ignore").decode() for text in (key, value))
    term = f"{quoted(key)}={quoted(value)}"
    assert parse(term, NOW).terms == (Equals(key, value),)
    assert is_visible(term), "a search box holds one line"


JSON = message(
    b'{"status": "Failed", "user": {"id": 42, "name": "Ana"}, "a.b": {"c": null}, "ok": true, "price": 0.10,'
    b' "items": [{"id": "x"}, {"id": "y"}], "*": "star", "": "empty"}',
    attributes={"type": "build.done", "": "nameless"},
    ordering_key="user-7",
)
LARGE = message(b'{"status": "Failed", "user": {"id": 42}, "rest": "' + b"x" * INLINE_BYTES + b' the end"}')
BINARY = message(b"\xff\xfe hidden words", deliveries=2)


@pytest.mark.parametrize(
    ("stored", "text", "expected"),
    [
        (JSON, "", True),
        (JSON, "FAILED", True),
        (JSON, "BUILD.done", True),
        (JSON, "770001 user-7 TYPE", True),
        (JSON, "nowhere", False),
        (JSON, "failed -nowhere", True),
        (JSON, "failed nowhere", False),
        (JSON, "type=build.done", True),
        (JSON, "type=BUILD.DONE", False),
        (JSON, 'type~DONE ""=nameless', True),
        (JSON, "type~ -missing~", True),
        (JSON, "data.status=Failed", True),
        (JSON, "data.status=failed", False),
        (JSON, "data.status~failed", True),
        (JSON, "data.user.id=42", True),
        (JSON, "data.user.name~an", True),
        (JSON, "data.user=42", False),
        (JSON, "data.user~ data.items~ data.user.id~ data.items.0~", True),
        (JSON, "data.user~42", False),
        (JSON, "data.user.nobody~ OR data.items.2~", False),
        (LARGE, "data.status~", True),
        (JSON, "data.a.b.c=null", True),
        (JSON, "data.ok=true", True),
        (JSON, "data.price=0.10 -data.price=0.1", True),
        (JSON, "data.items.1.id=y", True),
        (JSON, "data.items.2.id=y", False),
        (JSON, "data.items.*.id=y", True),
        (JSON, "data.items.id=y", False),
        (JSON, "data.*=star", True),
        (JSON, "data.*.id=42", True),
        (JSON, "kind:json -kind:text", True),
        (JSON, "larger:100 smaller:1kb", True),
        (JSON, "larger:1kb", False),
        (JSON, "has:key has:attributes has:data -has:redelivery", True),
        (JSON, "key:user-7 subscription:builds id:770001", True),
        (JSON, f"id:{'ab' * 16}", True),
        (JSON, "key:user", False),
        (JSON, "type=other OR type=build.done", True),
        (JSON, "type=other OR nowhere", False),
        (JSON, "nowhere OR -nowhere failed", True),
        (JSON, "failed OR nowhere nowhere", False),
        (JSON, "after:1s", True),
        (JSON, "before:1s", False),
        (JSON, "after:2026-11-23T10:42:07Z", True),
        (JSON, "before:2026-11-23T10:42:07Z", False),
        (BINARY, "hidden has:redelivery kind:binary", True),
        (message(), "kind:empty -has:data -has:attributes", True),
        (message(b"[1, 2]"), "data.0=1 data.*=2 data.1~", True),
        (message(b"[1, 2]"), "data.0=2", False),
        (message(b"[1, 2]"), "data.2~", False),
        (message(b'[{"id": 71, "type": "bounce"}, [3]]'), "data.0.id=71 data.*.type=bounce data.0.type~BOUNCE", True),
        (message(b'[{"id": 71}, [3]]'), "data.1.0=3 data.*.*=3 -data.id~ -data.1.id~", True),
        (message(b'\xef\xbb\xbf{"order": 7}'), "data.order=7 kind:json", True),
        (message(b'\xef\xbb\xbf[{"order": 7}]'), "data.*.order=7 kind:json", True),
        # A filter sees the preview and the top-level fields of a payload over 16 KiB.
        (LARGE, "failed", True),
        (LARGE, '"the end"', False),
        (LARGE, "data.status=Failed", True),
        (LARGE, "data.status~fail", True),
        (LARGE, "data.user.id=42", False),
        (LARGE, "larger:16kib", True),
    ],
)
def test_filter_matches_the_right_messages(stored: Message, text: str, expected: bool) -> None:
    assert parse(text, NOW).matches(stored) is expected


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("status=FAILED", ["status=FAILED"]),
        ("word data.id=42 status=x", ["data.id=42"]),
        ("-status=FAILED", []),
        ("status~FAILED", []),
        ("data.user.id=42 a=b", ["a=b"]),
        ("data.*=x", []),
        (f"a={'x' * 499}", []),
        (f"a={'x' * 498}", [f"a={'x' * 498}"]),
        ("a=1 OR a=2 OR a=1", ["a=1", "a=2"]),
        ("a=1 OR a=2 b=3", ["b=3"]),
        ("a=1 OR word", []),
        ("a=1 OR -a=2", []),
        (" OR ".join(f"a={number}" for number in range(6)), []),
        ("data.0=1", []),
        ("data.1234567=1", ["data.1234567=1"]),
        ("severity=ERROR", ["severity=ERROR"]),
        ("severity=warn", ["severity=WARNING", "severity=warn"]),
        ("severity=error OR severity=ALERT", ["severity=ERROR", "severity=error", "severity=ALERT"]),
        (f"trace={TRACE}", [f"trace={TRACE}"]),
    ],
)
def test_query_offers_index_tokens(text: str, tokens: list[str]) -> None:
    assert parse(text, NOW).tokens == tuple(tokens)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "a.b", "*", ""]), SCALARS | st.lists(SCALARS, max_size=2))
ATTRIBUTES = st.dictionaries(st.sampled_from(["a", "data.a", "b"]), st.text(max_size=3))


@given(
    st.sampled_from(["a", "data.a", "data.*", "data.a.b", "data.b.0", "data.", "data.0", "data.0.a"]),
    st.sampled_from(["", "null", "true", "0", "a"]),
    ATTRIBUTES,
    OBJECTS | st.lists(OBJECTS | SCALARS, max_size=2),
)
def test_tokens_never_exclude_a_match(key: str, value: str, attributes: dict[str, str], held: object) -> None:
    stored = message(json.dumps(held).encode(), attributes=attributes)
    query = parse(f"{quoted(key)}={quoted(value)}", NOW)
    if query.tokens and query.matches(stored):
        assert {*query.tokens} & {*stored.tokens} or len(stored.tokens) == MAX_TOKENS


def test_query_offers_subscription_id_and_times() -> None:
    query = parse("after:2h before:1h after:3h status=x subscription:builds word -kind:json", NOW)
    assert query.after == NOW - timedelta(hours=2)
    assert query.before == NOW - timedelta(hours=1)
    assert (query.tokens, query.subscription) == (("status=x",), "builds")
    assert query.timeless == "status=x subscription:builds word -kind:json"
    assert parse("after:1h a OR b before:1m", NOW).timeless == "a OR b"
    assert query.reads_payloads
    assert not parse("status=x kind:json", NOW).reads_payloads
    assert Query().matches(JSON)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"a":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"a":[' + b"[]," * 5000 + b"[]]}",
        b"{" + b",".join(b'"%d":{"a":1}' % number for number in range(1400)) + b"}",
        b'{"":' * 900 + b"1" + b"}" * 900,
    ],
    ids=lambda data: repr(data[:8]),
)
@pytest.mark.parametrize("path", ["a" + ".a" * 899, "*" + ".*" * 899, "a" + ".0" * 899, "." * 898])
def test_hostile_payload_is_matched_cheaply(data: bytes, path: str) -> None:
    query = parse(f"-data.{path}=2", NOW)
    assert query.matches(message(data))
    assert_cheap(lambda: query.matches(message(data)), loops=25)


def test_filter_has_at_most_thirty_terms() -> None:
    assert len(parse("x " * MAX_TERMS, NOW).terms) == MAX_TERMS
