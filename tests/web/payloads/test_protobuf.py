"""Protocol buffers without their schema: real ones are read by field, other bytes are refused, at a low cost."""

from typing import Any

import pytest
from google.cloud.firestore_v1 import types
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import BytesValue, DoubleValue, FloatValue, Int64Value, StringValue
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cpu_cost import assert_cheap
from web.payloads.protobuf import MAX_DEPTH, MAX_FIELDS, fields_text
from web.payloads.render import render


def test_real_message_is_read() -> None:
    document = types.Document.pb()(name="projects/p", create_time={"seconds": 1_700_000_000, "nanos": 5})
    document.fields["id"].integer_value = 42
    assert fields_text(document.SerializeToString()) == "\n".join(
        [
            '1: "projects/p"',
            "2: {",
            '  1: "id"',
            "  2: {",
            "    2: 42",
            "  }",
            "}",
            "3: {",
            "  1: 1700000000",
            "  2: 5",
            "}",
        ]
    )


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Int64Value(value=-1), "1: 18446744073709551615 (signed -1)"),
        (DoubleValue(value=1.5), "1: 4609434218613702656 (floating 1.5)"),
        (FloatValue(value=-2), "1: 3221225472 (floating -2)"),
        (StringValue(value='say "é"\n\u202e'), '1: "say \\"é\\"\\n\\u202e"'),
        (BytesValue(value=b"\xff" * 40), f"1: 40 bytes {' '.join(['ff'] * 32)}…"),
        (StringValue(value="<b>"), '1: "<b>"'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_wire_type_is_written_out(message: StringValue, text: str) -> None:
    assert fields_text(message.SerializeToString()) == text


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\x08", b"\x0a\x05hell", b"\x0b\x0c", b"\xff" * 11, b"\x80" * 20, b"\x08\x01\x00", b"\x0d\x00\x00"],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    assert fields_text(data) is None


@given(st.recursive(st.text() | st.floats(allow_nan=False) | st.booleans(), lambda inner: st.lists(inner, max_size=3)))
def test_every_message_that_google_writes_is_read(value: Any) -> None:
    held = Struct()
    held.update({"value": value})
    assert fields_text(held.SerializeToString())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    fields_text(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\x00" * 60_000,
        b"\x08\x01" * (MAX_FIELDS + 1),
        b"\x0a\x7f" * 60_000,
        (b"\x12\x80\x80\x04" * 30_000)[:120_000],
    ],
    ids=["empty fields", "many fields", "lengths", "nested"],
)
def test_hostile_bytes_are_refused_cheaply(data: bytes) -> None:
    assert fields_text(data) is None
    assert_cheap(lambda: fields_text(data), loops=25)


def test_too_deep_message_is_shown_as_bytes() -> None:
    data = b"\x08\x01"
    for _ in range(MAX_DEPTH + 3):
        data = b"\x0a" + bytes([len(data)]) + data
    text = fields_text(data)
    assert text
    assert text.count("{") == MAX_DEPTH
    assert "bytes 0a" in text


@pytest.mark.parametrize(
    ("data", "kind", "offered"),
    [
        (b"\x08\x96\x01\x12\x02\xff\x00", "binary", True),
        (b"\x12\x05hello", "text", True),  # it happens to be UTF-8
        (b"hi", "text", False),
        (b"\xff\x00", "binary", False),
    ],
)
def test_view_is_offered_only_for_complete_payloads(data: bytes, kind: str, offered: bool) -> None:
    shown = render(data, len(data), kind, "protobuf")  # type: ignore[arg-type]
    assert ("protobuf" in shown.views, shown.view == "protobuf") == (offered, offered)
    assert "without its schema" in shown.note or not offered
    assert "protobuf" not in render(data, len(data) + 1, kind, "protobuf").views  # type: ignore[arg-type]


def test_field_text_is_escaped() -> None:
    data = StringValue(value="<script>alert(1)</script>").SerializeToString()
    assert render(data, len(data), "binary", "protobuf").body == "1: &#34;&lt;script&gt;alert(1)&lt;/script&gt;&#34;"
