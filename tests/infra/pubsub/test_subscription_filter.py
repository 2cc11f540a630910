"""Attributes that pass a subscription's own filter, for the test message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.pubsub.subscription_filter import attributes_that_pass

BASE = {"subscope": "test"}


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("", {}),
        ("  ", {}),
        ('attributes.region = "eu"', {"region": "eu"}),
        ('attributes."region" = "eu"', {"region": "eu"}),
        ("attributes:region", {"region": "test"}),
        ('attributes:"iana.org/language_tag"', {"iana.org/language_tag": "test"}),
        ('attributes.kind = "build" AND attributes.region = "eu"', {"kind": "build", "region": "eu"}),
        ('attributes.kind = "build" OR attributes.region = "eu"', {"kind": "build"}),
        ('(attributes:a OR attributes:b) AND attributes.c = "d"', {"a": "test", "c": "d"}),
        ('hasPrefix(attributes.region, "eu-")', {"region": "eu-"}),
        ('hasPrefix(attributes.region, "eu-") AND NOT attributes.region = "eu-"', {"region": "eu-test"}),
        ('attributes.region != "eu"', {"region": "test"}),
        ('attributes.region != "test"', {"region": "not test"}),
        ("NOT attributes:region", {}),
        ('NOT attributes.region = "eu"', {}),
        ('NOT (attributes.a = "1" AND attributes.b = "2")', {}),
        ('NOT (NOT attributes.a = "1" OR NOT attributes.b = "2")', {"a": "1", "b": "2"}),
        ('NOT attributes.a != "1"', {"a": "1"}),
        ('-attributes:a AND attributes.b="2"', {"b": "2"}),
        ('attributes.a = "quote \\" back \\\\ e\\u00e9 \\x41 \\101"', {"a": 'quote " back \\ eé A A'}),
        ('attributes.subscope = "test"', {}),
        ('attributes.goog_x = "1" OR attributes.a = "1"', {"a": "1"}),
    ],
)
def test_attributes_pass_the_filter(text: str, added: dict[str, str]) -> None:
    assert attributes_that_pass(text, BASE) == BASE | added


def test_wanted_attribute_gives_way() -> None:
    assert attributes_that_pass("NOT attributes:subscope", BASE) == {}
    assert attributes_that_pass('attributes.subscope = "no"', BASE) == {"subscope": "no"}


@pytest.mark.parametrize(
    "text",
    [
        'attributes.a = "1" AND attributes.a = "2"',
        "attributes:a AND NOT attributes:a",
        'attributes.goog_x = "1"',
        'attributes.a = "1" AND attributes.b = "1" OR attributes.c = "1"',
        'attributes.a ~ "1"',
        "attributes.a = 1",
        'attributes.a = "1',
        'attributes.a = "\\U00110000"',
        'data.a = "1"',
        "attributes",
        "(attributes:a",
        "attributes:a)",
        "NOT",
        " AND ".join(f'attributes.k{number} = "v"' for number in range(20)),
        "(" * 260,
        "NOT " * 60,
    ],
)
def test_filter_that_cannot_be_satisfied_or_read_has_no_attributes(text: str) -> None:
    assert attributes_that_pass(text, BASE) is None


@given(st.text(alphabet='attributes.:="!()-,\\ANDORTxhPf1 \n', max_size=300))
def test_any_text_is_answered(text: str) -> None:
    attributes_that_pass(text, BASE)
