"""Comparisons: exact numbers and times, in attributes, fields, paths with * and measures of the message."""

from datetime import timedelta
from decimal import Decimal

import pytest

from infra.messages.chunks import INLINE_BYTES
from infra.messages.masking import Mask
from infra.messages.message import Message
from infra.query import QueryError, parse
from infra.query.content_terms import Compared, Contains, Equals, Text
from infra.query.ordered.instants import instant, instant_of
from infra.query.ordered.numbers import number
from infra.query.ordered.spans import Span
from infra.query.terms import Measured, Not, Term
from tests.support.cpu_cost import assert_cheap
from tests.support.received import NOW, message


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("data.total>100", Compared("data.total", "number", Span(Decimal(100), low_is_open=True))),
        ("total>=0.10", Compared("total", "number", Span(Decimal("0.10")))),
        ("total<-1e3", Compared("total", "number", Span(high=Decimal(-1000), high_is_open=True))),
        ("total<=5", Compared("total", "number", Span(high=Decimal(5)))),
        ("total:1..5", Compared("total", "number", Span(Decimal(1), Decimal(5)))),
        ("data.a.*.n:..5", Compared("data.a.*.n", "number", Span(high=Decimal(5)))),
        ("data.n:-2.5..", Compared("data.n", "number", Span(Decimal("-2.5")))),
        ("item_count:1..5", Compared("item_count", "number", Span(Decimal(1), Decimal(5)))),
        ('"odd name":1..5 '[:-1], Compared("odd name", "number", Span(Decimal(1), Decimal(5)))),
        ('"odd name">"5"', Compared("odd name", "number", Span(Decimal(5), low_is_open=True))),
        ("data.at>=2026-11-23", Compared("data.at", "time", Span(instant("2026-11-23")))),
        ("at<10m", Compared("at", "time", Span(high=instant_of(NOW - timedelta(minutes=10)), high_is_open=True))),
        ("size>10kb", Measured("size", Span(Decimal(10_000), low_is_open=True))),
        ("size:10kb..1mib", Measured("size", Span(Decimal(10_000), Decimal(1_048_576)))),
        ("deliveries>=2", Measured("deliveries", Span(Decimal(2)))),
        ("attempt:..4", Measured("attempt", Span(high=Decimal(4)))),
        ("published>=2026-11-23", Measured("published", Span(instant("2026-11-23")))),
        ('"size">10', Compared("size", "number", Span(Decimal(10), low_is_open=True))),
        ("size=10", Equals("size", "10")),
        ("status!=x", Not(Equals("status", "x"))),
        ("-status!=x", Equals("status", "x")),
        ("has:data.a.b", Contains("data.a.b", "")),
        ("has:status", Contains("status", "")),
    ],
)
def test_comparison_is_parsed(text: str, term: Term) -> None:
    assert parse(text, NOW).terms == (term,)


@pytest.mark.parametrize(
    ("text", "column", "start"),
    [
        ("total>", 7, "a number or a time is missing after >; in quotes it is text."),
        ("a>b", 3, "a comparison needs a number or a time, for example 100, 2026-11-23, or 10m for ten minutes ago; "),
        ("data.x>=NaN", 9, "a comparison needs a number or a time"),
        ("v>1.2.3", 3, "a comparison needs a number or a time"),
        ("total:1..x", 7, "a comparison needs a number or a time"),
        ("total:..", 7, "a range is written 10..20, 10.. or ..20, with numbers or times; found '..'."),
        ("total:5..1", 7, "a range begins with its lower end; found '5..1'."),
        ("data.at:5..2026-11-23", 9, "both ends of a range are numbers, or both are times; found '5..2026-11-23'."),
        ("total:5", 1, "total: is not known; known are after:, "),
        ("size:5", 1, "size: needs a range, for example size:2..5, or size>2. In quotes it is text."),
        ("size>many", 6, "a size is a number and b, kb, mb, gb, kib, mib or gib, for example 10kb; found 'many'"),
        ("deliveries>x", 12, "a count is a number, for example 2; found 'x'; in quotes it is text."),
        ("severity>loud", 10, "a severity is one of DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, ALERT, EMERGENCY"),
        ("a>1e" + "9" * 19, 3, "a comparison needs a number or a time"),
    ],
)
def test_invalid_comparison_names_problem_and_column(text: str, column: int, start: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, NOW)
    assert (caught.value.column, caught.value.problem[: len(start)]) == (column, start)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", "10"),
        ("-0", "0"),
        ("+5", "5"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e400", "1E+400"),
        ("0.1", "0.1"),
        ("18446744073709551617", "18446744073709551617"),
        ("1e-999999999999999999", "1E-999999999999999999"),
        ("99e999999999999999999", None),
        ("1e1000000000000000000", None),
        ("", None),
        (".", None),
        ("NaN", None),
        ("Infinity", None),
        ("1_000", None),
        ("٣", None),
        ("0x10", None),
        ("1 ", None),
        ("1,5", None),
        ("--1", None),
        ("true", None),
        ("null", None),
    ],
)
def test_number_is_read_exactly_or_not_at_all(text: str, value: str | None) -> None:
    assert number(text) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-23T10:42:07Z", "2026-11-23 10:42:07 UTC"),
        ("2026-11-23T10:42:07.0Z", "2026-11-23t10:42:07z"),
        ("2026-11-23T12:42:07+02:00", "2026-11-23T10:42:07"),
        ("2026-11-23T12:42+0200", "2026-11-23T10:42Z"),
        ("2026-11-23", "2026-11-23T00:00:00Z"),
        ("2026-11-23T00:30+01", "2026-11-22T23:30Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("0001-01-01T00:00+23:59", "0001-01-01T00:00+23:59"),
        ("1969-12-31T23:59:59,5Z", "1969-12-31T23:59:59.500Z"),
    ],
)
def test_time_is_read_in_each_form(text: str, same: str) -> None:
    assert instant(text) is not None
    assert instant(text) == instant(same)


@pytest.mark.parametrize(
    "text", ["2026", "2026-02-30", "0000-01-01", "2026-11-23T24:00", "2026-11-23T10", "2026-11-23Z", "10:42", "now", ""]
)
def test_other_text_is_no_time(text: str) -> None:
    assert instant(text) is None


def test_fraction_of_a_time_keeps_every_digit() -> None:
    first, second = (instant(f"2026-11-23T10:42:07.{'0' * 40}{last}Z") for last in "12")
    assert first is not None
    assert second is not None
    assert first < second
    assert instant_of(NOW) == instant("2026-11-23T10:42:07Z")


STORED = message(
    b'{"total": 150, "price": 0.3, "huge": 1e400, "id": 18446744073709551617, "zero": -0, "text": "12",'
    b' "at": "2026-11-23T12:00:00.000000001+02:00", "day": "2026-11-23", "no": null, "flag": true,'
    b' "items": [{"n": 1}, {"n": "30"}, {"n": "x"}], "a.b": {"c": 7}}',
    attributes={"count": "10", "when": "2026-11-23T10:00:00Z", "name": "x10"},
    deliveries=3,
    delivery_attempt=2,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.total>100 data.total>=150 data.total<=150.0 data.total<1.6e2 -data.total>150 -data.total<150", True),
        ("data.total:100..200 data.total:150..150 data.total:..150 data.total:150.. -data.total:151..", True),
        # A float would say that 0.1 + 0.2 is above 0.3, that 1e400 is infinite, and round the long number.
        ("data.price>=0.3 -data.price>=0.30000000000000000001", True),
        ("data.huge>1e399 data.huge<1e401 -data.huge>1e400", True),
        ("data.id>18446744073709551616 data.id<18446744073709551618", True),
        ("data.zero>=0 data.zero<=0 -data.zero<0", True),
        ("data.text>9 count>9 count<11 count:10..10", True),
        ("-name>5 -name<5 -data.no>=0 -data.no<0 -data.flag>=0 -data.nowhere>0 -data.nowhere<=0", True),
        ("data.items.*.n>29 data.items.*.n<2 -data.items.*.n:2..29 -data.items.*.n>30", True),
        ("data.items.0.n>=1 data.a.b.c>6 -data.items>0", True),
        (
            "data.at>2026-11-23T10:00Z data.at<2026-11-23T10:00:00.000000002Z -data.at>2026-11-23T10:00:00.000000001Z",
            True,
        ),
        ("data.day>=2026-11-23 data.day<2026-11-24 data.at:2026-11-23..2026-11-24 when<=2026-11-23T10:00Z", True),
        ("when>1h data.at>60m when:1h..", True),
        ("when>40m", False),
        ('data.day<"23 Nov 2026 01:00" data.day>"1 Jan 1960 10:00"', True),
        ("data.total>2020-01-01 OR data.day>5", False),
        ("size>100 size<1kb -size>1kib deliveries>2 deliveries:3..3 attempt<3 published<=2026-11-23T10:42:07Z", True),
        ("deliveries>3 OR published>2026-11-23T10:42:07Z", False),
        ("data.total!=151 data.total!=150.0 -data.total!=150 nowhere!=1", True),
        ("has:data.items.0.n has:data.items.*.n has:data.no has:count has:data has:data.a.b", True),
        ("has:data.items.3 OR has:nothing OR has:data.total.x", False),
    ],
)
def test_comparison_matches_the_right_messages(text: str, expected: bool) -> None:
    assert parse(text, NOW).matches(STORED) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("severity>=warning severity>notice severity<critical severity:WARNING..error -severity>error", True),
        ("severity:..warning", False),
        ("severity>ERROR OR severity<debug", False),
    ],
)
def test_severity_is_compared_by_its_rank(text: str, expected: bool) -> None:
    assert parse(text, NOW).matches(message(attributes={"level": "error"})) is expected
    assert not parse(text.replace("-severity>error", ""), NOW).matches(message())


def test_message_without_an_attempt_has_none_to_compare() -> None:
    assert not parse("attempt>=0 OR attempt<0", NOW).matches(message())


LARGE = message(b'{"total": 150, "user": {"n": 5}, "rest": "' + b"x" * INLINE_BYTES + b'"}')


def test_top_level_number_of_a_large_payload_is_compared() -> None:
    assert LARGE.data is None
    assert parse("data.total>149 -data.user.n>1 data.total:150..", NOW).matches(LARGE)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("<html> >5 10:42>5 a.b:80?a>b ->5", [*map(Text, ("<html>", ">5", "10:42>5", "a.b:80?a>b")), Not(Text(">5"))]),
        ('"a>b" "data.n>10" a=>5 body=<b>', [Text("a>b"), Text("data.n>10"), Equals("a", ">5"), Equals("body", "<b>")]),
        ('"a>b"=1 "a!"=2 1..2 x.y:z..', [Equals("a>b", "1"), Equals("a!", "2"), Text("1..2"), Text("x.y:z..")]),
    ],
)
def test_sign_of_a_comparison_stays_text_where_it_was(text: str, terms: list[Term]) -> None:
    assert parse(text, NOW).terms[: len(terms)] == tuple(terms)


@pytest.mark.parametrize("field", ["data.card.number", "data.card", "count", "data"])
def test_masked_value_is_in_no_span(field: str) -> None:
    stored = message(b'{"card": {"number": 42, "at": "2026-11-23"}}', attributes={"count": "42"})
    masked = Mask((field,)).see(stored)
    hidden = "count" if field == "count" else "data.card.number"
    for term in (f"{hidden}>0", f"{hidden}<=1e9", f"{hidden}:0..1e9", f"{hidden}>1e9"):
        assert parse(f"-{term}", NOW).matches(masked), term
    assert parse(f"{hidden}>0", NOW).matches(stored)


DENSE = message(b'{"a":[' + b",".join(b"%d" % (number % 9_000) for number in range(1_000, 4_200)) + b"]}")


@pytest.mark.parametrize(
    "text",
    [
        " OR ".join(
            f"data.{path}:{limit}.5..{limit}.6" for limit in (2, 5000) for path in ("*.*", "a.*", "*", "*.*.*")
        ),
        " ".join(f"-data.a.*>{10_000 + number}" for number in range(30)),
        " ".join(f"-data.a.*:{number}.1..{number}.2" for number in range(2000, 2030)),
    ],
)
def test_costliest_comparisons_match_a_message_cheaply(text: str) -> None:
    assert DENSE.data is not None
    assert len(DENSE.data) <= INLINE_BYTES
    query = parse(text, NOW)
    assert_cheap(lambda: query.matches(DENSE), loops=3)


@pytest.mark.parametrize("text", ["9" * 16_000, "0." + "1" * 16_000, "1e" + "9" * 16_000, "-" * 16_000])
def test_longest_number_is_compared_cheaply(text: str) -> None:
    stored, query = message(attributes={"n": text}), parse("n>1 OR n>2026-11-23", NOW)
    query.matches(stored)
    assert_cheap(lambda: query.matches(stored), loops=0.5)


def test_measure_of_every_message_is_a_decimal() -> None:
    stored: Message = STORED
    for name in ("size", "deliveries", "attempt", "published"):
        assert parse(f"{name}:..9999-01-01" if name == "published" else f"{name}:0..", NOW).matches(stored), name
