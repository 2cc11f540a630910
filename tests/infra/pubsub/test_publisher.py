"""Grouping messages into requests that Pub/Sub takes."""

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
def test_request_has_one_ordering_key_and_keeps_the_order(keys: list[str], requests: list[list[str]]) -> None:
    requests_sent = requests_of(OutgoingMessage(b"x", {}, key) for key in keys)
    assert [[message.ordering_key for message in request] for request in requests_sent] == requests


def test_request_stays_within_the_size_limit() -> None:
    assert [len(request) for request in requests_of([OutgoingMessage(MEGABYTES)] * 5)] == [2, 2, 1]
