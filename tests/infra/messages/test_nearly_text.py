"""Payloads that are text except for a few bytes: their preview, their kind, and what a mask does with them."""

import gzip
import random
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.messages.masking import HIDDEN, Mask
from infra.messages.message import PREVIEW_CHARACTERS, Content, read_content
from infra.messages.nearly_text import is_nearly_text, marked_text
from infra.messages.visible_text import is_visible
from tests.support.cpu_cost import assert_cheap
from tests.support.firestore.writer import stored_message

LOG_LINE = "2026-11-27 ERROR order 4711 for customer in Zürich failed\n".encode("latin-1")
NOISE = random.Random(7).randbytes(500)


@pytest.mark.parametrize(
    ("data", "preview"),
    [
        (LOG_LINE, r"2026-11-27 ERROR order 4711 for customer in Z\xfcrich failed\n"),
        (b"caf\xe9", r"caf\xe9"),
        (
            b"Gr\xfc\xdfe aus M\xfcnchen, wo das Wetter heute sch\xf6n ist",
            r"Gr\xfc\xdfe aus M\xfcnchen, wo das Wetter heute sch\xf6n ist",
        ),
        (b'{"a":"\xff","b":1}', r'{"a":"\xff","b":1}'),
        ("Grüße, 東京\u202e ".encode() * 3 + b"\xe6\x9d", "Grüße, 東京\\u202e " * 3 + r"\xe6\x9d"),
        (b"\x1b[31mred\x1b[0m \xff is bad", r"\u001b[31mred\u001b[0m \xff is bad"),
    ],
)
def test_text_with_a_few_other_bytes_has_a_preview_of_text(data: bytes, preview: str) -> None:
    assert read_content(data) == Content("binary", preview)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"ab\xff",
        b"\xff\xfe abc",
        b"some text\x00\xff",
        b"some text\x08 and a back space \xff",
        "Привет, мир".encode("cp1251"),
        "日本語のテキスト".encode("shift-jis"),
        "plain text".encode("utf-16"),
        gzip.compress(b"hello hello hello"),
        zlib.compress(b"hello hello hello"),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"%PDF-1.7\n%\xb5\xb5\xb5\xb5\n" + NOISE,
        b"\x12\x05hello\x1a\x03\xff\xfe\xfd",
        NOISE,
    ],
)
def test_other_bytes_have_a_preview_of_hex_digits(data: bytes) -> None:
    assert read_content(data) == Content("binary", data[: PREVIEW_CHARACTERS // 3].hex(" "))


def test_share_of_other_bytes_decides() -> None:
    assert is_nearly_text(b"a" * 90 + b"\xff" * 10)
    assert not is_nearly_text(b"a" * 89 + b"\xff" * 11)


def test_beginning_decides_about_a_long_payload() -> None:
    text = "é".encode() * 40_000
    assert read_content(text + b"\xff").preview == "é" * PREVIEW_CHARACTERS
    assert is_nearly_text(b"x" + text + NOISE), "the sample ends within a character"


@given(st.binary(max_size=40), st.binary(max_size=3))
def test_marks_are_counted_and_the_half_of_a_character_is_left_out(data: bytes, more: bytes) -> None:
    text, marks = marked_text(data, cut=False)
    assert marks == len(data) - len(data.decode(errors="ignore").encode())
    assert text == data.decode(errors="backslashreplace")
    assert marked_text(data + more, cut=False)[0].startswith(marked_text(data, cut=True)[0])


@given(st.binary(max_size=600))
def test_every_preview_of_bytes_is_visible(data: bytes) -> None:
    assert is_visible(read_content(data).preview)


@pytest.mark.parametrize("fields", [("data.email",), ("data",)])
@pytest.mark.parametrize("data", [b'{"email":"a@secret.example","b":"\xff"}', b'{"email":"\xffa@secret.example"}'])
def test_json_with_a_byte_that_is_not_utf8_is_withheld_by_a_mask(data: bytes, fields: tuple[str, ...]) -> None:
    content = read_content(data)
    stored = replace(stored_message(1, data=data), kind=content.kind, preview=content.preview, size_bytes=len(data))
    for message in (stored, replace(stored, data=None, chunks=1), replace(stored, kind="json")):
        seen = Mask(fields).see(message)
        assert (seen.preview, seen.data or b"") == (HIDDEN, b"")
        assert Mask(fields).see_payload(data, seen) is None


@pytest.mark.parametrize("hostile", [b"\xff" + b"a" * 9, b"\xe2\x82" + b"a" * 20, b"\xff"])
def test_hostile_bytes_are_read_cheaply(hostile: bytes) -> None:
    assert_cheap(lambda: read_content(hostile * (10_000_000 // len(hostile))), loops=20)
