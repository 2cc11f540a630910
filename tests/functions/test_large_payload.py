"""A long payload is taken out of its envelope only where reading the whole would have given the very same."""

import base64
import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.envelope import parse_push
from functions.large_payload import MIN_BYTES, PLACEHOLDER, parse_large_push
from infra.errors import EnvelopeError
from infra.strict_json import parse_object
from tests.support.receiver.push import envelope

PAYLOAD = bytes(range(256)) * 24
BODY = json.dumps(envelope("1", PAYLOAD, {"data": "short", "a": "b"})).encode()
LONG = base64.b64encode(PAYLOAD)
PIECES = (
    b'"',
    b"\\",
    b"=",
    b"A",
    b"AA",
    b" ",
    b"\n",
    b"\xff",
    b",",
    b"}",
    b'"data":"',
    PLACEHOLDER.encode(),
    LONG,
    b"",
)


def test_usual_large_push_is_cut() -> None:
    found = parse_large_push(BODY)
    assert found
    rest, payload = found
    assert payload == PAYLOAD
    assert rest == {**json.loads(BODY), "message": {**json.loads(BODY)["message"], "data": PLACEHOLDER}}
    assert parse_push(BODY).data == PAYLOAD


@given(st.integers(0, len(BODY)), st.sampled_from(PIECES), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
@example(BODY.index(LONG) + len(LONG), b"=", 0)
def test_cut_body_gives_the_same_as_the_whole_body(place: int, piece: bytes, cut: int) -> None:
    body = BODY[:place] + piece + BODY[place + cut :]
    found = parse_large_push(body)
    if found is None:
        return
    rest, payload = found
    whole = parse_object(body)
    assert base64.b64encode(payload).decode() == whole["message"]["data"]
    assert rest == {**whole, "message": {**whole["message"], "data": PLACEHOLDER}}


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(LONG, LONG[: MIN_BYTES - 4]),
        BODY.replace(LONG, LONG[:-1] + b"-"),
        BODY.replace(LONG, LONG[:-2] + b"B="),
        BODY.replace(b'"short"', json.dumps(PLACEHOLDER).encode()),
        BODY.replace(b'"short"', b'"' + LONG + b'"'),
        BODY[:-1],
        b'{"data":"' + LONG + b'"}',
        b'{"message":{"attributes":{"data":"' + LONG + b'"}}}',
    ],
    ids=["short", "no base64", "bits to spare", "the mark itself", "an attribute", "cut", "no message", "elsewhere"],
)
def test_unusual_body_is_parsed_whole(body: bytes) -> None:
    assert parse_large_push(body) is None


def test_hostile_bodies_cost_little() -> None:
    began = time.thread_time()
    for body in (b'"data":"' * 1_000_000, b'"data"' + b" " * 8_000_000, b'"data":"' + b"A" * 8_000_000):
        assert parse_large_push(body) is None
        with pytest.raises(EnvelopeError):
            parse_push(body)
    assert time.thread_time() - began < 5
