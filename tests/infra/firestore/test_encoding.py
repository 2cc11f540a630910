"""Python values as Firestore's, and back."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.cloud.firestore_v1 import _helpers
from hypothesis import given
from hypothesis import strategies as st

from infra.firestore.encoding import Document, decode, decode_fields, decode_message, encode, encode_fields
from infra.firestore.message_writer import delivery_write, message_write, set_deliveries
from infra.messages.message import Message, Pushed

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
ROOT = "projects/p/databases/(default)/documents"
text = st.text(st.characters(exclude_categories=["Cs"]))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | text
    | st.binary()
    | st.datetimes(timezones=st.just(UTC))
)
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20)


@given(value=plain)
def test_every_value_comes_back(value: Any) -> None:
    assert decode(encode(value)) == value
    assert type(decode(encode(value))) is type(value)


@given(value=st.recursive(scalars, lambda inner: st.dictionaries(text.filter(bool), inner), max_leaves=10))
def test_values_are_encoded_as_googles_client_does(value: Any) -> None:
    assert encode(value) == _helpers.encode_value(value)._pb


def test_times_of_any_zone_are_one_instant() -> None:
    assert decode(encode(AT.astimezone(timezone(timedelta(hours=5))))) == AT
    assert decode(encode(datetime(1, 1, 1, tzinfo=UTC))) == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j])
def test_value_without_a_firestore_type_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        encode(datetime(2026, 1, 1))  # noqa: DTZ001  # on purpose


def test_integer_beyond_64_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="range"):
        encode(2**63)


def test_message_comes_back_from_its_own_write() -> None:
    pushed = Pushed("projects/p/subscriptions/s", "1", AT, b'{"a": 1}', {"": "x", "__k__": "y", "100%": "z"}, "key", 2)
    write = message_write(ROOT, pushed, chunks=0, shards=4, expire_at=AT + timedelta(days=7))
    set_deliveries(write, 3, 2)
    # Firestore sets these two itself.
    assert [one.field_path for one in write.update_transforms] == ["received_at", "last_delivered_at"]
    encode_fields(write.update.fields, [("received_at", AT), ("last_delivered_at", AT)])
    assert decode_message(write.update) == Message(
        id=pushed.id,
        subscription="s",
        message_id="1",
        publish_time=AT,
        received_at=AT,
        attributes={"": "x", "__k__": "y", "100%": "z"},
        kind="json",
        preview='{"a": 1}',
        data=b'{"a": 1}',
        chunks=0,
        size_bytes=8,
        sha256=decode_fields(write.update)["sha256"],
        deliveries=3,
        last_delivered_at=AT,
        expire_at=AT + timedelta(days=7),
        ordering_key="key",
        delivery_attempt=2,
        tokens=("=x", "__k__=y", "100%=z", "data.a=1"),
    )


def test_create_never_replaces_a_message_and_count_never_creates_one() -> None:
    pushed = Pushed("projects/p/subscriptions/s", "1", AT, b"")
    head = message_write(ROOT, pushed, chunks=0, shards=1, expire_at=AT)
    assert head.current_document.HasField("exists")
    assert not head.current_document.exists
    count = delivery_write(ROOT, pushed.id, 2, None)
    assert count.current_document.exists
    assert (count.HasField("update_mask"), list(count.update_mask.field_paths)) == (True, [])


def test_document_made_by_hand_is_decoded_with_empty_values() -> None:
    document = Document(name=f"{ROOT}/messages/x")
    encode_fields(document.fields, [("message_id", 7), ("deliveries", "many"), ("data", "text")])
    message = decode_message(document)
    assert (message.message_id, message.deliveries, message.data, message.attributes) == ("", 1, None, {})
