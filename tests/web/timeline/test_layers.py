"""Layers of bars: severities or values of a field, drawn within the bar, and sampled where the index cannot count."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.messages.message import Message
from infra.query import parse
from infra.query.list_arguments import ListArguments
from tests.support.received import message
from web.timeline.bucket_counts import Bucket, Buckets
from web.timeline.drawing import HEIGHT, draw
from web.timeline.layers import Layer, layer_of, layers_of
from web.timeline.sample import SampledBuckets, sampled_buckets
from web.timeline.spans import HOUR

NOW = datetime(2026, 11, 23, 10, 42, 30, tzinfo=UTC)


def buckets_of(**counts: int) -> Buckets:
    """Return an hour; ``at_59=3`` means three messages in the newest minute."""
    return Buckets(tuple(Bucket(at, counts.get(f"at_{x}", 0)) for x, at in enumerate(HOUR.starts(NOW))), ())


def sent(minutes_ago: int, **attributes: str) -> Message:
    return message(b"{}", attributes=attributes, received_at=NOW - timedelta(minutes=minutes_ago))


def sampled(messages: list[Message], stack: str, *values: str, back: int | None = None) -> SampledBuckets:
    """Sample messages in a search that went ``back`` minutes; None: over the whole span."""
    layers = layers_of(stack, values)
    searched_to = None if back is None else NOW - timedelta(minutes=back)
    return sampled_buckets(messages, HOUR, NOW, layers, layer_of(layers, stack), lambda: searched_to)


def test_severity_has_one_layer_of_failures_and_one_of_warnings() -> None:
    failures, warnings = layers_of(":severity", ())
    assert failures.term(":severity") == "severity>=ERROR"
    assert warnings.term(":severity") == "severity>=WARNING", "less the failures"


def test_field_has_a_layer_for_each_of_at_most_five_values() -> None:
    layers = layers_of("service", ["a", "b", "a", "c", "d", "e", "f"])
    assert [layer.label for layer in layers] == ["a", "b", "c", "d", "e"]
    assert layers_of("", ["a"]) == ()


def test_layers_are_drawn_from_the_top_of_the_bar_in_their_share() -> None:
    parts = [(Layer("a", ("a",)), buckets_of(at_59=50)), (Layer("b", ("b",)), buckets_of(at_59=25))]
    drawn = draw(buckets_of(at_59=100), parse("", NOW), ListArguments(), NOW, stack="service", layers=parts)
    assert [(bar.layer, bar.y, bar.height) for bar in drawn.bars] == [(0, 0, 100), (1, 0, 50), (2, 50, 25)]
    assert [(layer.label, total) for layer, total in drawn.layers] == [("a", 50), ("b", 25)]


def test_one_failure_among_thousands_is_seen() -> None:
    parts = [(Layer("failed", ("x",)), buckets_of(at_59=1))]
    drawn = draw(buckets_of(at_59=9_000), parse("", NOW), ListArguments(), NOW, stack="s", layers=parts)
    assert drawn.bars[1].height >= 5


def test_layers_that_were_counted_later_stay_within_the_bar() -> None:
    parts = [(Layer(str(number), ("x",)), buckets_of(at_59=90)) for number in range(5)]
    drawn = draw(buckets_of(at_59=100), parse("", NOW), ListArguments(), NOW, stack="s", layers=parts)
    assert all(bar.y + bar.height <= HEIGHT for bar in drawn.bars)


def test_sample_is_sorted_into_buckets_and_layers() -> None:
    found = sampled([sent(0, service="a"), sent(1, service="b"), sent(1, service="a"), sent(59)], "service", "a", "b")
    assert [(x, one.count) for x, one in enumerate(found.counted.buckets) if one.count] == [(0, 1), (58, 2), (59, 1)]
    totals = {layer.label: sum(one.count or 0 for one in buckets.buckets) for layer, buckets in found.layers}
    assert totals == {"a": 2, "b": 1}
    assert (found.sampled.matches, found.sampled.searched_to) == (4, None)


def test_buckets_beyond_an_incomplete_sample_have_no_count() -> None:
    found = sampled([sent(0), sent(9)], "", back=10)
    counts = [one.count for one in found.counted.buckets]
    assert counts[:50] == [None] * 50, "the tenth minute before was not seen whole"
    assert counts[50:] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found.sampled.searched_to == NOW - timedelta(minutes=10)


def test_sample_without_matches_is_empty() -> None:
    found = sampled([], ":severity")
    assert found.sampled.matches == 0
    assert not any(one.count for one in found.counted.buckets)


@pytest.mark.parametrize(
    ("attributes", "layer"),
    [({"severity": "ALERT"}, 0), ({"severity": "warn"}, 1), ({"severity": "info"}, None), ({}, None)],
)
def test_layer_of_a_severity(attributes: dict[str, str], layer: int | None) -> None:
    assert layer_of(layers_of(":severity", ()), ":severity")(message(b"{}", attributes=attributes)) == layer


def test_warnings_do_not_contain_failures() -> None:
    assert [one.count for one in buckets_of(at_59=5).without(buckets_of(at_59=2)).buckets[-2:]] == [0, 3]


def test_layer_that_is_not_counted_yet_has_no_total() -> None:
    uncounted = Buckets(tuple(Bucket(at, None) for at in HOUR.starts(NOW)), ())
    parts = [(Layer("a", ("a",)), uncounted)]
    drawn = draw(buckets_of(at_59=100), parse("", NOW), ListArguments(), NOW, stack="service", layers=parts)
    assert [total for _, total in drawn.layers] == [None]
