"""Which filters the index can count, and with which limits."""

from datetime import UTC, datetime

import pytest

from infra.query import parse
from infra.query.counted import Countable, countable

NOW = datetime(2026, 11, 23, 10, 42, tzinfo=UTC)
TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
ELEVEN = datetime(2026, 11, 23, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("q", "subscription", "expected"),
    [
        ("", "", Countable()),
        ("", "orders", Countable("orders")),
        ("subscription:orders", "", Countable("orders")),
        ("subscription:orders", "orders", Countable("orders")),
        ("status=OK", "", Countable(tokens=("status=OK",))),
        ("data.status=OK", "orders", Countable("orders", ("data.status=OK",))),
        ("severity=ERROR", "", Countable(tokens=("severity=ERROR",))),
        ("trace=0af7651916cd43dd8448eb211c80319c", "", Countable(tokens=("trace=0af7651916cd43dd8448eb211c80319c",))),
        ("severity>=alert", "", Countable(tokens=("severity=ALERT", "severity=EMERGENCY"))),
        ("after:2026-11-23T10:00Z status=OK", "", Countable("", ("status=OK",), TEN)),
        ("after:2026-11-23T10:00Z before:2026-11-23T11:00Z", "", Countable("", (), TEN, ELEVEN)),
        ("-before:2026-11-23T10:00Z", "", Countable("", (), TEN)),
    ],
)
def test_filter_of_times_a_subscription_and_one_token_is_counted(
    q: str, subscription: str, expected: Countable
) -> None:
    assert countable(parse(q, NOW), subscription) == expected


@pytest.mark.parametrize(
    "q",
    [
        "status=OK region=eu",
        "severity>=alert status=OK",
        "severity<alert",
        "severity<=warning",
        "severity:error..alert",
        "severity=warning",
        "severity=err",
        "trace=0AF7651916CD43DD8448EB211C80319C",
        "data.total>100",
        "(status=OK)  (region=eu)",
        "-status=OK",
        "status=OK OR status=FAILED",
        "status~OK",
        "failed",
        "kind:json",
        "has:redelivery",
        "larger:10",
        "key:a",
        "id:1",
        "data.card.number=1",
        "data.*=1",
        f"status={'x' * 600}",
        "subscription:orders subscription:builds",
    ],
)
def test_other_filters_are_not_counted(q: str) -> None:
    assert countable(parse(q, NOW)) is None


def test_two_subscriptions_are_not_counted() -> None:
    assert countable(parse("subscription:orders", NOW), "builds") is None
