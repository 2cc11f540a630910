"""The costliest pairs of 1 MB stay within a bound of CPU, and say which bound made their result coarser."""

from functools import partial

import pytest

from infra.messages.compare.effort import BY_POSITION, MANY_DIFFERENCES, OUT_OF_TIME
from infra.messages.compare.payloads import compare
from tests.support.cpu_cost import assert_cheap
from tests.support.large_pairs import large_pairs

# Of a loop that takes about 10 ms. The aim is 200 ms, which the benchmark measures; a cost that grows faster than the
# payload exceeds this bound by far.
LOOPS = 30


@pytest.mark.slow
def test_costliest_pairs_are_compared_cheaply() -> None:
    for a, b in large_pairs().values():
        assert_cheap(partial(compare, a, b), loops=LOOPS)


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("digits, one inserted", ()),
        ("digits, all different", (BY_POSITION, MANY_DIFFERENCES)),
        ("objects with ids", ()),
        ("bytes, some inserted", ()),
        ("bytes, all different", (BY_POSITION,)),
    ],
)
def test_bound_that_is_reached_is_named(name: str, notes: tuple[str, ...]) -> None:
    assert compare(*large_pairs()[name]).notes == notes


def test_insertion_into_a_large_array_is_one_difference() -> None:
    found = compare(*large_pairs()["digits, one inserted"])
    assert found.of_json is not None
    assert [(one.kind, len(one.path)) for one in found.of_json.operations] == [("add", 1), ("remove", 1)]


def test_end_of_the_time_is_named_and_the_rest_is_changed_as_a_whole() -> None:
    found = compare(b'{"a": {"b": 1}, "c": 2}', b'{"a": {"b": 2}, "c": 3}', iter([True, True, False, False]).__next__)
    assert found.notes == (OUT_OF_TIME,)
    assert found.of_json is not None
    assert [one.path for one in found.of_json.operations] == [("a",), ("c",)]
