"""A long payload is taken out of its envelope only where reading the whole would have given the very same."""

import base64
import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.envelope import parse_push
from functions.large_payload import MIN_BYTES, parse_large_push
from infra.errors import EnvelopeError
from infra.strict_json import GAP, parse_object
from tests.support.receiver.push import FULL_SUBSCRIPTION, envelope

PAYLOAD = bytes(range(256)) * 24
BODY = json.dumps(envelope("1", PAYLOAD, {"data": "short", "a": "b"})).encode()
LONG = base64.b64encode(PAYLOAD)
MARK = GAP.decode()
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
    GAP,
    b'"' + GAP + b'"',
    LONG,
    b"",
)


def test_usual_large_push_is_cut() -> None:
    found = parse_large_push(BODY)
    assert found
    rest, payload = found
    assert payload == PAYLOAD
    whole = json.loads(BODY)
    del whole["message"]["data"]
    assert rest == whole
    assert parse_push(BODY).data == PAYLOAD


def test_text_of_the_mark_stays_where_it_is_sent() -> None:
    pushed = parse_push(BODY.replace(b'"short"', json.dumps(MARK).encode()))
    assert (pushed.data, pushed.attributes["data"]) == (PAYLOAD, MARK)


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
    assert base64.b64encode(payload).decode() == whole["message"].pop("data")
    assert rest == whole


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(LONG, LONG[: MIN_BYTES - 4]),
        BODY.replace(LONG, LONG[:-1] + b"-"),
        BODY.replace(LONG, LONG[:-2] + b"B="),
        BODY.replace(b'"short"', GAP),
        BODY.replace(b'"short"', b'"' + LONG + b'"'),
        BODY[:-1],
        b'{"data":"' + LONG + b'"}',
        b'{"message":{"attributes":{"data":"' + LONG + b'"}}}',
    ],
    ids=["short", "no base64", "bits to spare", "a constant", "an attribute", "cut", "no message", "elsewhere"],
)
def test_unusual_body_is_parsed_whole(body: bytes) -> None:
    assert parse_large_push(body) is None


def forms_of(data: str) -> dict[str, str]:
    """Return bodies that try to make a cutter and a parser take different strings for ``message.data``."""
    rest = '"messageId":"1","publishTime":"2026-01-02T03:04:05Z"'
    mark = "".join(f"\\u{ord(character):04x}" for character in MARK)
    messages = {
        "plain": f'{{"data":"{data}",{rest}}}',
        "escaped key": f'{{"\\u0064ata":"{data}",{rest}}}',
        "escaped slash": f'{{"data":"{data.replace("A", chr(92) + "u0041", 1)}",{rest}}}',
        "twice the same": f'{{"data":"{data}","data":"{data}",{rest}}}',
        "twice, escaped": f'{{"\\u0064ata":"{data}","data":"{data}",{rest}}}',
        "first another": f'{{"\\u0064ata":"aGk=","data":"{data}",{rest}}}',
        "then another": f'{{"data":"{data}","\\u0064ata":"aGk=",{rest}}}',
        "first the mark": f'{{"data":"{MARK}","data":"{data}",{rest}}}',
        "then the mark": f'{{"data":"{data}","data":"{MARK}",{rest}}}',
        "then the escaped mark": f'{{"data":"{data}","data":"{mark}",{rest}}}',
        "a constant": f'{{"data":"{data}","later":NaN,{rest}}}',
        "a constant first": f'{{"later":-Infinity,"data":"{data}",{rest}}}',
        "a constant as data": f'{{"later":{{"data":"{data}"}},"data":NaN,{rest}}}',
        "deeper": f'{{"later":{{"data":"{data}"}},"data":"aGk=",{rest}}}',
        "another name": f'{{"my\\"data":"{data}","data":"aGk=",{rest}}}',
    }
    around = f'{{"subscription":"{FULL_SUBSCRIPTION}","message":'
    bodies = {name: f"{around}{message}}}" for name, message in messages.items()}
    above = f'{{"data":"{data}","subscription":"{FULL_SUBSCRIPTION}","message":'
    bodies["above, the mark below"] = f'{above}{{"data":"{MARK}",{rest}}}}}'
    bodies["above, the escaped mark below"] = f'{above}{{"data":"{mark}",{rest}}}}}'
    bodies["above, data below"] = f'{above}{{"data":"aGk=",{rest}}}}}'
    first, second = messages["plain"], f'{{"data":"aGk=",{rest}}}'
    for name, pair in {"two messages": (first, second), "two, the other first": (second, first)}.items():
        bodies[name] = f'{around}{pair[0]},"message":{pair[1]}}}'
    return bodies


TAKEN = {"plain", "escaped key", "escaped slash", "twice the same", "twice, escaped"}


def answer(body: str, data: bytes) -> str:
    """Return how ``parse_push`` answers: which payload it takes, or the field that it refuses."""
    try:
        payload = parse_push(body.encode()).data
    except EnvelopeError as error:
        return str(error).partition(" (")[0]
    return "the payload" if payload == data else repr(payload)


@pytest.mark.parametrize("form", forms_of(""))
def test_long_and_short_payload_are_answered_alike(form: str) -> None:
    short = b"\x00\x01\x02"
    long = short * 3_000
    answers = {answer(forms_of(base64.b64encode(data).decode())[form], data) for data in (short, long)}
    assert len(answers) == 1, answers
    assert answers != {repr(b"")}
    assert (answers == {"the payload"}) is (form in TAKEN)


def test_hostile_bodies_cost_little() -> None:
    began = time.thread_time()
    for body in (b'"data":"' * 1_000_000, b'"data"' + b" " * 8_000_000, b'"data":"' + b"A" * 8_000_000):
        assert parse_large_push(body) is None
        with pytest.raises(EnvelopeError):
            parse_push(body)
    assert time.thread_time() - began < 5
