"""Which messages may share a request to Pub/Sub."""

import pytest

from infra.pubsub.publisher import OutgoingMessage, requests_of

MEGABYTES = b"x" * 4_000_000


@pytest.mark.parametrize(
    ("keys", "requests"),
    [
        (["", "", ""], [["", "", ""]]),
        (["a", "a", "b"], [["a", "a"], ["b"]]),
        (["a", "", "a"], [["a"], [""], ["a"]]),
        ([], []),
    ],
)
def test_a_request_has_one_ordering_key_and_the_order_is_kept(keys: list[str], requests: list[list[str]]) -> None:
    found = requests_of(OutgoingMessage(b"x", {}, key) for key in keys)
    assert [[one.ordering_key for one in request] for request in found] == requests


def test_a_request_stays_within_what_pubsub_takes() -> None:
    assert [len(request) for request in requests_of([OutgoingMessage(MEGABYTES)] * 5)] == [2, 2, 1]
