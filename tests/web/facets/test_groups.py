"""Messages grouped by a field: counts, shares, times, bytes and percentiles of exact numbers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from infra.messages.message import Message
from tests.support.received import message
from web.facets.groups import MAX_GROUPS, group_by, number_of

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


def sent(minute: int, data: bytes = b"{}", **attributes: str) -> Message:
    return message(data, attributes=attributes, received_at=START + timedelta(minutes=minute))


def test_groups_have_count_share_times_and_bytes_the_largest_first() -> None:
    grouping = group_by(
        [sent(3, b"[1]", env="test"), sent(1, env="prod"), sent(5, b"[1,2]", env="prod"), sent(2)], "env"
    )
    assert [(group.value, group.count, grouping.share(group)) for group in grouping.groups] == [
        ("prod", 2, 0.5),
        ("test", 1, 0.25),
        (None, 1, 0.25),
    ]
    largest = grouping.groups[0]
    assert (largest.first, largest.last) == (START + timedelta(minutes=1), START + timedelta(minutes=5))
    assert largest.size_bytes == len(b"{}") + len(b"[1,2]")


@pytest.mark.parametrize(
    ("by", "values"),
    [
        (":kind", {"json": 1, "text": 1}),
        (":subscription", {"builds": 2}),
        (":severity", {"ERROR": 1, None: 1}),
        ("data.nested.region", {"eu": 1, None: 1}),
    ],
)
def test_messages_are_grouped_by_derived_and_nested_fields(by: str, values: dict[str | None, int]) -> None:
    messages = [sent(1, b'{"nested": {"region": "eu"}, "level": "error"}'), sent(2, b"text")]
    assert {group.value: group.count for group in group_by(messages, by).groups} == values


@pytest.mark.parametrize(
    ("numbers", "p50", "p95"),
    [
        (["1"], "1", "1"),
        (["3", "1", "2"], "2", "3"),
        ([str(number) for number in range(1, 101)], "50", "95"),
        (["0.1", "0.10", "18446744073709551617"], "0.10", "18446744073709551617"),
        (["-5", "1e3", "x"], "-5", "1E+3"),
    ],
)
def test_percentiles_are_of_the_exact_numbers(numbers: list[str], p50: str, p95: str) -> None:
    messages = [sent(1, env="prod", ms=number) for number in numbers]
    (group,) = group_by(messages, "env", "ms").groups
    assert (group.percentile(50), group.percentile(95)) == (Decimal(p50), Decimal(p95))


@pytest.mark.parametrize("text", ["", "x", "NaN", "Infinity", "9" * 41, "0x10"])
def test_other_texts_are_no_numbers(text: str) -> None:
    assert number_of(sent(1, ms=text), "ms") is None


def test_group_without_numbers_has_no_percentile() -> None:
    (group,) = group_by([sent(1, env="prod")], "env", "ms").groups
    assert group.percentile(50) is None


def test_beyond_the_limit_messages_are_counted_together() -> None:
    grouping = group_by([sent(1, id=str(number)) for number in range(MAX_GROUPS + 7)], "id")
    assert (len(grouping.groups), grouping.others, grouping.sample) == (MAX_GROUPS, 7, MAX_GROUPS + 7)
