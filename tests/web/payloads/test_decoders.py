"""Packed payloads are decoded within bounds; other payloads stay as they are."""

import base64
import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.cpu_cost import assert_cheap
from web.payloads.decoders import MAX_DECODED_BYTES, MAX_STEPS, Decoded, Step, decode, is_packed

JSON = b'{"order": 42, "total": 10.50, "lines": ["a", "b"]}'
GZIP = gzip.compress(JSON, mtime=0)


@pytest.mark.parametrize(
    ("packed", "steps"),
    [
        (base64.b64encode(JSON), ["base64"]),
        (base64.encodebytes(JSON * 3), ["base64"]),
        (base64.urlsafe_b64encode(b"is it so? >>> ~~~").rstrip(b"="), ["base64"]),
        (GZIP, ["gzip"]),
        (zlib.compress(JSON), ["zlib"]),
        (zlib.compress(JSON, 9), ["zlib"]),
        (base64.b64encode(GZIP), ["base64", "gzip"]),
        (base64.b64encode(base64.b64encode(zlib.compress(JSON))), ["base64", "base64", "zlib"]),
        (gzip.compress(GZIP, mtime=0), ["gzip", "gzip"]),
    ],
)
def test_packings_are_decoded_in_order(packed: bytes, steps: list[str]) -> None:
    decoded = decode(packed)
    assert is_packed(packed)
    assert [step.packing for step in decoded.steps] == steps
    assert decoded.trouble == ""
    assert decoded.steps[-1].size_bytes == len(decoded.data)
    assert decoded.data in (JSON, JSON * 3, b"is it so? >>> ~~~")


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"hello",
        b"x^2 + y^2 = z^2",
        b"550e8400e29b41d4a716446655440000",
        b"1c38fa7e-ecbd-4a91-9bc5-5b56b44c7650",
        b"internationalization",
        b"12345678901234567890",
        b"projects/p/subscriptions/s",
        JSON,
        b"\x00" * 64,
        b"aGVsbG8",
        b"A" * 64,
        b"====================",
        b"\n" * 4096 + b"!",
    ],
)
def test_unpacked_data_is_unchanged(plain: bytes) -> None:
    assert not is_packed(plain)
    assert decode(plain) == Decoded(plain, ())


def test_brotli_is_unchanged() -> None:
    brotli = bytes.fromhex("0b0b8068656c6c6f2c20776f726c642103")
    assert decode(brotli) == Decoded(brotli, ())


@pytest.mark.parametrize("level", [1, 6, 9])
def test_bomb_is_cut_at_the_limit(level: int) -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000, level, mtime=0)
    for packed in (bomb, base64.b64encode(bomb), gzip.compress(bomb, mtime=0)):
        decoded = decode(packed)
        assert len(decoded.data) == MAX_DECODED_BYTES
        assert decoded.trouble == "The decoded data is longer; it is cut after 1 MB."


def test_many_gzip_members_take_linear_time() -> None:
    packed = gzip.compress(b"", mtime=0) * 40_000 + GZIP
    assert decode(packed).trouble == "It has more than 64 gzip members; the first 64 are shown."
    assert_cheap(lambda: decode(packed), loops=50)


def test_gzip_members_are_joined() -> None:
    assert decode(GZIP + GZIP) == Decoded(JSON * 2, (Step("gzip", len(JSON) * 2),))


@pytest.mark.parametrize(
    ("packed", "complete", "data", "trouble"),
    [
        (GZIP[:-4], True, JSON, "The gzip data ends early."),
        (GZIP[:-4], False, JSON, "Only the beginning was read."),
        (GZIP + b"tail", True, JSON, "Other bytes follow the gzip data."),
        (GZIP + b"\x00" * 100, True, JSON, ""),
        (GZIP[:10] + b"\xff" * 40, True, GZIP[:10] + b"\xff" * 40, "The gzip data is broken."),
        (base64.b64encode(JSON)[:-3], False, JSON[:48], "Only the beginning was read."),
    ],
)
def test_early_end_is_reported(packed: bytes, complete: bool, data: bytes, trouble: str) -> None:
    decoded = decode(packed, complete=complete)
    assert (decoded.data, decoded.trouble) == (data, trouble)


def test_text_after_base64_is_reported() -> None:
    mixed = base64.b64encode(b"text " * 2000) + b" and then something else!"
    assert decode(mixed) == Decoded(mixed, (), "The beginning is base64, the rest is not.")


def test_beginning_of_large_payload_is_decoded() -> None:
    lines = b"".join(b"line %d\n" % number for number in range(200_000))
    packed = base64.b64encode(gzip.compress(lines, mtime=0))[: 900 * 1024]
    decoded = decode(packed, complete=False)
    assert [step.packing for step in decoded.steps] == ["base64", "gzip"]
    assert lines.startswith(decoded.data)


@given(st.binary(max_size=2000), st.sampled_from([b"", b"\x1f\x8b\x08", b"\x78\x9c", b"\x78\x01", GZIP]))
def test_decode_never_raises(tail: bytes, head: bytes) -> None:
    for complete in (True, False):
        decoded = decode(head + tail, complete=complete)
        assert len(decoded.data) <= max(MAX_DECODED_BYTES, len(head + tail))
        assert len(decoded.steps) <= MAX_STEPS


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "base64": base64.b64encode,
}


@settings(max_examples=50)
@given(st.text(alphabet="abc öé😀\n", min_size=24), st.lists(st.sampled_from(sorted(PACKERS)), min_size=1, max_size=4))
def test_nested_packings_are_undone(text: str, packers: list[str]) -> None:
    packed = text.encode()
    for packer in packers:
        packed = PACKERS[packer](packed)
    decoded = decode(packed)
    assert [step.packing for step in decoded.steps][: len(packers)] == packers[::-1]
    assert decoded.data == text.encode()


@pytest.mark.parametrize("hostile", [b"A" * 900_000 + b"!", b"\n" * 900_000 + b"!", b"=" * 900_000, b"A=" * 450_000])
def test_hostile_payload_is_decoded_cheaply(hostile: bytes) -> None:
    assert_cheap(lambda: decode(hostile), loops=15)
