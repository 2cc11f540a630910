"""Protocol buffers without their schema: real ones are read by field, other bytes are refused, at a low cost."""

import json
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


UUID = b"123e4567-e89b-12d3-a456-426614174000"
URL = b"https://shop.example/orders/4711?currency=EUR"
SHA256 = b"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def field(number: int, held: bytes | int) -> bytes:
    """Write one field of fewer than 128 bytes, or a number below 128."""
    return bytes([number << 3, held]) if isinstance(held, int) else bytes([number << 3 | 2, len(held)]) + held


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (field(1, UUID), [f'1: "{UUID.decode()}"']),
        (
            field(1, field(1, UUID)) + field(2, 7),
            [f'1: "\\n${UUID.decode()}" or {{', f'  1: "{UUID.decode()}"', "}", "2: 7"],
        ),
        (
            field(1, field(2, field(4, b"image.png"))),
            ["1: {", '  2: "\\"\\timage.png" or {', '    4: "image.png"', "  }", "}"],
        ),
        (field(1, field(1, b"Berlin")), ["1: {", '  1: "Berlin"', "}"]),
        (field(2, field(4, URL)), [f'2: "\\"-{URL.decode()}" or {{', f'  4: "{URL.decode()}"', "}"]),
        (
            field(3, field(1, b"thirteen byte") + field(5, 65) + field(15, SHA256)),
            [
                f'3: "\\n\\rthirteen byte(Az@{SHA256.decode()}" or {{',
                '  1: "thirteen byte"',
                "  5: 65",
                f'  15: "{SHA256.decode()}"',
                "}",
            ],
        ),
        (
            field(1, field(1, field(1, UUID))),
            [
                f'1: "\\n&\\n${UUID.decode()}" or {{',
                f'  1: "\\n${UUID.decode()}" or {{',
                f'    1: "{UUID.decode()}"',
                "  }",
                "}",
            ],
        ),
        (field(1, field(4, "Größe: 東京".encode())), ["1: {", '  4: "Größe: 東京"', "}"]),
        (
            field(6, field(1, "Größe: 東京都渋谷区神南".encode())),
            ['6: "\\n!Größe: 東京都渋谷区神南" or {', '  1: "Größe: 東京都渋谷区神南"', "}"],
        ),
        (field(1, b"b" * 100), [f'1: "{"b" * 100}" or {{', f'  12: "{"b" * 98}"', "}"]),  # nothing tells them apart
    ],
)
def test_nested_message_of_printable_bytes_is_read(data: bytes, lines: list[str]) -> None:
    assert fields_text(data) == "\n".join(lines)


TEXTS = [
    UUID.decode(),
    SHA256.decode(),
    SHA256.decode()[:40],
    URL.decode(),
    "projects/shop-prod/subscriptions/orders-monitor",
    "The quick brown fox jumps over the lazy dog.",
    "Build 4711 failed: step 3 exited with 1",
    "\n\tindented line\n\tanother one\n",
    "\r\n\r\n",
    "hi",
    "08",
    " A",
    "x=1",
    "a@example.com",
    "2026-11-27T22:14:05.123Z",
    "-----BEGIN CERTIFICATE-----",
    '{"status": "SUCCESS", "id": 4711}',
    "b" * 90,
    "J" + "K" * 74,
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_stays_text(text: str) -> None:
    assert fields_text(StringValue(value=text).SerializeToString()) == f"1: {json.dumps(text)}"
    data = text.encode()
    assert render(data, len(data), "text").views[:2] == ("raw", "hex")
    assert "protobuf" not in render(data, len(data), "text").views


@given(st.uuids() | st.datetimes() | st.ip_addresses() | st.integers())
def test_ids_and_times_stay_text(value: object) -> None:
    assert fields_text(StringValue(value=str(value)).SerializeToString()) == f'1: "{value}"'


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
        (field(1, UUID), "text", True),
        (field(4, URL) + field(7, 65), "text", True),
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
