"""Every legal push is stored byte for byte; any other gets a 4xx and stores nothing."""

import base64
import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from functions.envelope import parse_push
from infra.errors import EnvelopeError
from infra.local.token_signer import Signer
from infra.messages.field_names import unescape_name
from tests.support.firestore.reader import Reader
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import claims, envelope

# Each example sends requests to a real process: few examples, without a deadline.
real = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
attributes = st.dictionaries(
    text | st.sampled_from(["__x__", "", "a.b", "`", "__name__", "%", "%5F"]), text, max_size=8
)
payloads = st.binary(max_size=300) | st.binary(max_size=3).map(lambda seed: seed * 20_000)
messages = st.builds(
    lambda data, attributes, key: {"data": data, "attributes": attributes, "key": key}, payloads, attributes, text
)
_numbers = itertools.count()


@real
@given(batch=st.lists(messages, min_size=1, max_size=8))
def test_every_legal_message_is_stored_and_read_back_equal(
    receiver: ReceiverProcess, reader: Reader, token: str, batch: list[dict[str, Any]]
) -> None:
    sent = {f"property-{next(_numbers)}": message for message in batch}
    for message_id, message in sent.items():
        keys = {"orderingKey": message["key"], "ordering_key": message["key"]}
        body = envelope(message_id, message["data"], message["attributes"], **keys)
        assert receiver.push(json.dumps(body).encode(), token).status == 204
    stored = reader.messages_of(*sent)
    for message_id, message in sent.items():
        found = stored[message_id]
        assert reader.payload(found) == message["data"]
        assert {unescape_name(name): value for name, value in found["attributes"].items()} == message["attributes"]
        assert found["ordering_key"] == message["key"]


WRONG: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.lists(st.text(max_size=3), max_size=2)
)
STRINGS = ("messageId", "message_id", "publishTime", "publish_time", "data", "orderingKey", "ordering_key")


@st.composite
def mutated_envelopes(draw: st.DrawFn) -> bytes:
    """A legal envelope with one thing wrong."""
    whole = envelope("mutant", b"payload", {"a": "b"}, orderingKey="k", ordering_key="k")
    good = json.dumps(whole).encode()
    match draw(st.integers(0, 6)):
        case 0:
            whole["message"][draw(st.sampled_from(STRINGS))] = draw(WRONG)
        case 1:
            whole["message"]["attributes"] = draw(WRONG | st.dictionaries(text, WRONG, min_size=1))
        case 2:
            whole[draw(st.sampled_from(["message", "subscription"]))] = draw(WRONG | text)
        case 3:
            return good[: draw(st.integers(0, len(good) - 1))]
        case 4:
            at = draw(st.integers(0, len(good)))
            return good[:at] + draw(st.sampled_from([b"\xff", b"\x00", b"\xed\xa0\x80", b"\xc0\x80"])) + good[at:]
        case 5:
            whole["message"]["data"] = draw(st.text("AQgw=- \n_+", min_size=1))
            encoded = whole["message"]["data"]
            assume(base64.b64encode(_lenient(encoded)).decode() != encoded)
        case _:
            half = draw(st.characters(categories=["Cs"]))
            field = draw(st.sampled_from(["messageId", "orderingKey"]))
            snake = {"messageId": "message_id", "orderingKey": "ordering_key"}[field]
            whole["message"][field] = whole["message"][snake] = draw(text) + half
    return json.dumps(whole).encode()


def _lenient(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded)
    except ValueError:
        return b"\x00"


@pytest.mark.slow
@real
@given(bodies=st.lists(mutated_envelopes(), min_size=1, max_size=10))
def test_every_mutated_envelope_is_refused_and_stores_nothing(
    receiver: ReceiverProcess, reader: Reader, token: str, bodies: list[bytes]
) -> None:
    before = reader.versions("messages")
    answers = [receiver.push(body, token) for body in bodies]
    assert {400 <= answer.status < 500 for answer in answers} == {True}, answers
    assert reader.versions("messages") == before


@settings(max_examples=500, deadline=None)
@given(body=st.binary(max_size=200) | mutated_envelopes())
def test_any_bytes_give_a_message_or_an_envelope_error(body: bytes) -> None:
    with pytest.raises(EnvelopeError) as caught:
        parse_push(body)
    assert str(caught.value).startswith(caught.value.field or "nothing")


@real
@given(data=st.data())
def test_every_mutated_token_is_refused(receiver: ReceiverProcess, signer: Signer, data: st.DataObject) -> None:
    token = signer.sign(claims())
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCxyz059-_.=,;~"))
    mutated = [token[:at] + other + token[at + 1 :], token[:at] + token[at + 1 :], token[:at] + other + token[at:]]
    body = json.dumps(envelope("mutated-token")).encode()
    for one in mutated:
        if one != token:
            assert receiver.push(body, one).status in (401, 403)


@real
@given(
    name=st.sampled_from(["iss", "aud", "email", "email_verified", "exp", "iat"]),
    value=st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
)
def test_every_mutated_claim_is_refused(
    receiver: ReceiverProcess, signer: Signer, reader: Reader, name: str, value: object
) -> None:
    assume(not (name == "email_verified" and value is True))
    assume(not (name in ("exp", "iat") and isinstance(value, int | float) and abs(value - 1.8e9) < 1e9))
    answer = receiver.push(json.dumps(envelope("mutated-claim")).encode(), signer.sign(claims(**{name: value})))
    assert answer.status in (401, 403)
    assert not reader.messages_of("mutated-claim")
