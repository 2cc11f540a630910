"""The fields of a row that can be counted, with terms that find the row again."""

from datetime import UTC, datetime

import pytest

from infra.messages.masking import Mask
from infra.query import parse
from tests.support.received import message
from web.facets.row_facets import MAX_CHARACTERS, facets_of

DERIVED = {":kind": "json", ":subscription": "builds"}
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def fields(text: str) -> dict[str, str]:
    return {name: value for name, value, *_ in (line.split("\t") for line in text.split("\n"))}


def test_row_has_severity_kind_subscription_attributes_and_top_level_members() -> None:
    stored = message(
        b'{"region": "eu", "total": 10.50, "nested": {"a": 1}}', attributes={"env": "prod", "level": "error"}
    )
    assert fields(facets_of(stored)) == {
        ":severity": "ERROR",
        **DERIVED,
        "env": "prod",
        "level": "error",
        "data.region": "eu",
        "data.total": "10.50",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("env", "x" * (MAX_CHARACTERS + 1)),
        ("n" * (MAX_CHARACTERS + 1), "x"),
        ("env", ""),
        ("env", "two\nlines"),
        ("a\ttab", "x"),
        ("env", "hidden\u202eorder"),
        (":kind", "like a derived one"),
        (":own", "x"),
    ],
)
def test_long_empty_and_hidden_texts_are_no_facets(name: str, value: str) -> None:
    assert fields(facets_of(message(b"{}", attributes={name: value}))) == DERIVED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("env", "prod"),
        ("two words", 'a "quoted" one'),
        ("-negated", "-x"),
        ("a:b", "OR"),
        ("path", "C:\\temp"),
        ("größe", "(groß)"),
        ("<b>", "'&amp;"),
    ],
)
def test_term_of_a_field_finds_its_message(name: str, value: str) -> None:
    stored = message(b"{}", attributes={name: value})
    line = next(line for line in facets_of(stored).split("\n") if line.startswith(name))
    term = [*line.split("\t"), f"{name}={value}"][2]
    assert parse(term, NOW).matches(stored)
    assert not parse(term, NOW).matches(message(b"{}", attributes={name: f"{value}!"}))


def test_masked_fields_are_no_facets() -> None:
    stored = message(b'{"email": "a@example.com", "region": "eu"}', attributes={"user": "x", "env": "prod"})
    seen = Mask(("user", "data.email")).see(stored)
    assert fields(facets_of(seen)) == {**DERIVED, "env": "prod", "data.region": "eu"}


def test_member_with_an_equals_sign_in_its_name_is_no_facet() -> None:
    assert fields(facets_of(message(b'{"a=b": "c"}'))) == DERIVED
