"""From the bytes of a push to a message, or to the name of the field that is wrong."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.envelope import parse_push
from infra.errors import EnvelopeError
from infra.messages.message import Pushed
from tests.support.receiver.push import FULL_SUBSCRIPTION, envelope

PUBLISHED = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def with_message(**changed: object) -> dict[str, Any]:
    """A minimal envelope in the published spelling; a value of ... leaves a key out."""
    message = {"messageId": "1", "publishTime": "2026-01-02T03:04:05.678Z", "data": "aGk=", **changed}
    kept = {key: value for key, value in message.items() if value is not ...}
    return {"message": kept, "subscription": FULL_SUBSCRIPTION}


def test_every_field_of_the_service_is_read() -> None:
    body = envelope("123", b"\xff\x00", {"kind": "build"}, orderingKey="k", ordering_key="k")
    assert parse_push(json.dumps({**body, "deliveryAttempt": 5}).encode()) == Pushed(
        subscription=FULL_SUBSCRIPTION,
        message_id="123",
        publish_time=PUBLISHED,
        data=b"\xff\x00",
        attributes={"kind": "build"},
        ordering_key="k",
        delivery_attempt=5,
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(with_message(), id="camelCase alone"),
        pytest.param(
            with_message(
                messageId=..., publishTime=..., message_id="1", publish_time="2026-01-02T03:04:05.678Z", later="x"
            ),
            id="snake_case alone, an unknown key",
        ),
    ],
)
def test_both_spellings_give_the_same(body: dict[str, Any]) -> None:
    assert parse_push(json.dumps(body).encode()) == Pushed(FULL_SUBSCRIPTION, "1", PUBLISHED, b"hi")


def test_equal_duplicate_keys_have_one_meaning() -> None:
    body = json.dumps(with_message()).replace('"messageId": "1"', '"messageId": "1", "messageId": "1"')
    assert parse_push(body.encode()).message_id == "1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
        ("2026-01-02t03:04:05.5z", datetime(2026, 1, 2, 3, 4, 5, 500000, UTC)),
        ("2026-01-02T03:04:05+01:30", datetime(2026, 1, 2, 1, 34, 5, 0, UTC)),
        ("9999-12-31T23:59:59.999999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
def test_times_are_aware_utc_in_microseconds(text: str, expected: datetime) -> None:
    found = parse_push(json.dumps(with_message(publishTime=text)).encode()).publish_time
    assert (found, found.tzinfo) == (expected, UTC)


@pytest.mark.parametrize("attempt", [1, 2**31 - 1])
def test_attempt_is_a_number_of_32_bits(attempt: int) -> None:
    assert parse_push(json.dumps({**with_message(), "deliveryAttempt": attempt}).encode()).delivery_attempt == attempt


def test_data_may_be_absent() -> None:
    assert parse_push(json.dumps(with_message(data=...)).encode()).data == b""


@pytest.mark.parametrize("length", range(10))
def test_base64_of_every_length_is_read(length: int) -> None:
    data = bytes(range(250, 250 + min(length, 6))) + b"x" * max(0, length - 6)
    assert parse_push(json.dumps(with_message(data=base64.b64encode(data).decode())).encode()).data == data


WRONG_MESSAGES: list[tuple[str, dict[str, object]]] = [
    ("message.messageId", {"messageId": ...}),
    ("message.data", {"data": "QQAA="}),
    ("message.data", {"data": "gwQA==="}),
    ("message.messageId", {"messageId": ""}),
    ("message.messageId", {"messageId": 1}),
    ("message.messageId", {"messageId": "x" * 1025}),
    ("message.messageId", {"messageId": "\ud800"}),
    ("message.messageId", {"message_id": "2"}),
    ("message.message_id", {"messageId": ..., "message_id": None}),
    ("message.publishTime", {"publishTime": ...}),
    ("message.publishTime", {"publishTime": 1767323045}),
    ("message.publishTime", {"publishTime": "yesterday"}),
    ("message.publishTime", {"publishTime": "2026-01-02T03:04:05"}),
    ("message.publishTime", {"publishTime": "2026-01-02"}),
    ("message.publishTime", {"publishTime": "2026-02-30T03:04:05Z"}),
    ("message.publishTime", {"publishTime": "0001-01-01T00:00:00+01:00"}),
    ("message.publishTime", {"publishTime": "2026-01-02T03:04:05+25:00"}),
    ("message.publishTime", {"publishTime": "٢026-01-02T03:04:05Z"}),
    ("message.publishTime", {"publish_time": "2026-01-02T03:04:05.679Z"}),
    ("message.data", {"data": None}),
    ("message.data", {"data": ["aGk="]}),
    ("message.data", {"data": "aGk"}),
    ("message.data", {"data": "aGk=="}),
    ("message.data", {"data": "aGl="}),
    ("message.data", {"data": "aB=="}),
    ("message.data", {"data": "a Gk="}),
    ("message.data", {"data": "aGk=\n"}),
    ("message.data", {"data": "-_8="}),
    ("message.data", {"data": "="}),
    ("message.data", {"data": "aGk=aGk="}),
    ("message.data", {"data": "aGkö"}),
    ("message.data", {"data": "\ud800"}),
    ("message.attributes", {"attributes": None}),
    ("message.attributes", {"attributes": [["a", "b"]]}),
    ("message.attributes", {"attributes": {"a": 1}}),
    ("message.attributes", {"attributes": {"a": None}}),
    ("message.attributes", {"attributes": {"a": {"b": "c"}}}),
    ("message.attributes", {"attributes": {"\udfff": "a"}}),
    ("message.attributes", {"attributes": {"a": "\udfff"}}),
    ("message.attributes", {"attributes": {"a" * 1490: ""}}),
    ("message.attributes", {"attributes": {"%" * 497: ""}}),
    ("message.attributes", {"attributes": {"a": "b" * 300_000}}),
    ("message.attributes", {"attributes": {str(n): "b" * 1024 for n in range(300)}}),
    ("message.attributes", {"attributes": {str(n): "" for n in range(1001)}}),
    ("message.orderingKey", {"orderingKey": 7}),
    ("message.orderingKey", {"orderingKey": "\ud800x"}),
    ("message.orderingKey", {"orderingKey": "k", "ordering_key": "l"}),
    ("message.orderingKey", {"orderingKey": None}),
    ("message.orderingKey", {"orderingKey": "k" * 4097}),
]


@pytest.mark.parametrize(("field", "changed"), WRONG_MESSAGES)
def test_wrong_message_names_its_field(field: str, changed: dict[str, object]) -> None:
    with pytest.raises(EnvelopeError) as caught:
        parse_push(json.dumps(with_message(**changed)).encode())
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("subscription", {"subscription": ...}),
        ("subscription", {"subscription": "builds"}),
        ("subscription", {"subscription": ["projects/p/subscriptions/s"]}),
        ("subscription", {"subscription": "projects/p/subscriptions/s/t"}),
        ("subscription", {"subscription": "projects/p/subscriptions/\ud800"}),
        ("subscription", {"subscription": "projects/p/subscriptions/s\n"}),
        ("message", {"message": ...}),
        ("message", {"message": "aGk="}),
        ("message", {"message": [{}]}),
        ("deliveryAttempt", {"deliveryAttempt": 0}),
        ("deliveryAttempt", {"deliveryAttempt": True}),
        ("deliveryAttempt", {"deliveryAttempt": 1.0}),
        ("deliveryAttempt", {"deliveryAttempt": "1"}),
        ("deliveryAttempt", {"deliveryAttempt": None}),
        ("deliveryAttempt", {"deliveryAttempt": 2**31}),
        ("deliveryAttempt", {"deliveryAttempt": 1, "delivery_attempt": True}),
    ],
)
def test_wrong_envelope_names_its_field(field: str, changed: dict[str, object]) -> None:
    whole = {**with_message(), **changed}
    with pytest.raises(EnvelopeError) as caught:
        parse_push(json.dumps({key: value for key, value in whole.items() if value is not ...}).encode())
    assert caught.value.field == field


GOOD = json.dumps(with_message())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"not JSON",
        GOOD[:-1].encode(),
        GOOD.encode() + b"x",
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
        GOOD.encode().replace(b"aGk=", b"\xff\xfe"),
        b"\x1f\x8b\x08\x00" + GOOD.encode(),
        GOOD.replace('"messageId": "1"', '"messageId": "1", "messageId": "2"').encode(),
        GOOD.replace('"messageId": "1"', '"messageId": "1", "x": 1, "x": true').encode(),
        GOOD.replace('"messageId"', '"x": NaN, "messageId"').encode(),
        GOOD.replace('"messageId"', '"x": -Infinity, "messageId"').encode(),
        GOOD.replace('"messageId"', f'"x": {"9" * 5000}, "messageId"').encode(),
        b"[" * 100_000,
        b'{"message":' * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_body_that_is_no_json_object_is_named(body: bytes) -> None:
    with pytest.raises(EnvelopeError) as caught:
        parse_push(body)
    assert caught.value.field == "body"


@pytest.mark.parametrize(
    ("body", "field", "is_hinted"),
    [
        (b"", "body", True),
        (b"hello", "body", True),
        (b"\xff\x00", "body", True),
        (b"[1, 2]", "body", True),
        (b'{"a": 1}', "message", True),
        (b'{"message": "hello"}', "message", True),
        (b'{"a": 1', "body", False),
        (b'{"subscription": "projects/p/subscriptions/s"}', "message", False),
        (b'{"subscription": "projects/p/subscriptions/s", "message": []}', "message", False),
    ],
)
def test_payload_without_its_envelope_is_recognised(body: bytes, field: str, is_hinted: bool) -> None:
    with pytest.raises(EnvelopeError) as caught:
        parse_push(body)
    assert caught.value.field == field
    assert ("; the payload seems unwrapped: start delivery again" in str(caught.value)) == is_hinted
