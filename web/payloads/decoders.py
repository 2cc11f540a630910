"""Decode packed payloads: base64, gzip and zlib, also nested. Pure and bounded; never raises.

``is_packed`` reads only the beginning of a payload; ``decode`` runs when a reader opens the view. The output is cut at
1 MB, so a few kilobytes that would inflate to gigabytes cost no more than any other payload.
"""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from typing import Literal

Packing = Literal["base64", "gzip", "zlib"]

MAX_DECODED_BYTES = 1_000_000
MAX_STEPS = 4
# A gzip file may have many members. Each one copies the rest of the input, which takes quadratic time for tiny members.
_MAX_MEMBERS = 64
_BLOCK_BYTES = 64 * 1024
_SNIFFED_BYTES = 4096
# Shorter words are often base64 by chance.
_MIN_BASE64 = 16
_BASE64 = re.compile(rb"[A-Za-z0-9+/]++={0,2}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_CONTROLS = frozenset(map(chr, range(0x20))) - set("\t\n\r\f\x1b")
_GZIP = b"\x1f\x8b\x08"
_WINDOW_BITS = {"gzip": 31, "zlib": 15}  # which header zlib expects
_CUT = "Only the beginning was read."
_TOO_MUCH = "The decoded data is longer; it is cut after 1 MB."


@dataclass(frozen=True)
class Step:
    """One decoded packing, and the number of bytes that it gave."""

    packing: Packing
    size_bytes: int


@dataclass(frozen=True)
class Decoded:
    """The decoded data and the steps to it. ``trouble`` says why it ends early; empty when it is complete."""

    data: bytes
    steps: tuple[Step, ...]
    trouble: str = ""


def is_packed(data: bytes) -> bool:
    """Tell whether a payload that begins with ``data`` looks packed. Its content may still be broken."""
    return _packing(data) is not None


def decode(data: bytes, *, complete: bool = True) -> Decoded:
    """Decode up to four nested packings, to at most 1 MB. ``complete``: ``data`` is the whole payload."""
    steps: list[Step] = []
    first_trouble = ""
    while len(steps) < MAX_STEPS and (packing := _packing(data)):
        unpacked, trouble = _unpack(data, packing, complete and not first_trouble)
        first_trouble = first_trouble or trouble
        if trouble and not unpacked:
            break
        data = unpacked
        steps.append(Step(packing, len(data)))
    return Decoded(data, tuple(steps), first_trouble)


def _packing(data: bytes) -> Packing | None:
    if data.startswith(_GZIP):
        return "gzip"
    if _looks_like_zlib(data):
        return "zlib"
    return "base64" if _looks_like_base64(data) else None


def _looks_like_zlib(data: bytes) -> bool:
    """Check the header of RFC 1950, section 2.2, and that binary data follows: the text "x^2" looks like a header."""
    if len(data) < 8 or data[0] != 0x78 or data[1] & 0x20 or int.from_bytes(data[:2]) % 31:
        return False
    return not _is_text(data[:_SNIFFED_BYTES])


def _looks_like_base64(data: bytes) -> bool:
    """The alphabet alone is not enough (most identifiers match it): the decoded bytes must be gzip, zlib or text."""
    inside = _from_base64(data[:_SNIFFED_BYTES], complete=False)
    return inside.startswith(_GZIP) or _looks_like_zlib(inside) or _is_text(inside)


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        # The cut may have split the last character.
        if exc.reason != "unexpected end of data":
            return False
        text = data[: exc.start].decode()
    return bool(text) and not _CONTROLS.intersection(text)


def _from_base64(data: bytes, *, complete: bool) -> bytes:
    """Decode base64; empty when it is none. Accepts line breaks, the URL-safe alphabet and missing padding."""
    digits = data.translate(_URL_SAFE, b"\r\n").strip()
    if len(digits) < _MIN_BASE64 or not _BASE64.fullmatch(digits):
        return b""
    digits = digits.rstrip(b"=")
    if not complete:
        digits = digits[: len(digits) // 4 * 4]
    try:
        return base64.b64decode(digits + b"=" * (-len(digits) % 4))
    except binascii.Error:
        return b""


def _unpack(data: bytes, packing: Packing, complete: bool) -> tuple[bytes, str]:
    if packing != "base64":
        return _inflate(data, packing, complete)
    unpacked = _from_base64(data, complete=complete)
    if not unpacked:
        return b"", "The beginning is base64, the rest is not."
    if len(unpacked) > MAX_DECODED_BYTES:
        return unpacked[:MAX_DECODED_BYTES], _TOO_MUCH
    return unpacked, "" if complete else _CUT


def _inflate(data: bytes, packing: Packing, complete: bool) -> tuple[bytes, str]:
    """Inflate all members of ``data``; return the output, and why it ends early."""
    out = bytearray()
    for _ in range(_MAX_MEMBERS):
        data, trouble = _inflate_member(data, packing, out)
        if trouble:
            return bytes(out), trouble if complete or trouble == _TOO_MUCH else _CUT
        if not data.startswith(_GZIP) or packing != "gzip":
            # Padding with zeros is common.
            return bytes(out), f"Other bytes follow the {packing} data." if data.strip(b"\x00") else ""
    return bytes(out), f"It has more than {_MAX_MEMBERS} {packing} members; the first {_MAX_MEMBERS} are shown."


def _inflate_member(data: bytes, packing: Packing, out: bytearray) -> tuple[bytes, str]:
    """Inflate by blocks, to keep the output before an error; return the bytes after the member, and the trouble."""
    inflater = zlib.decompressobj(_WINDOW_BITS[packing])
    while data and not inflater.eof:
        try:
            out += inflater.decompress(data[:_BLOCK_BYTES], MAX_DECODED_BYTES + 1 - len(out))
        except zlib.error:
            return b"", f"The {packing} data is broken after this point." if out else f"The {packing} data is broken."
        if len(out) > MAX_DECODED_BYTES:
            del out[MAX_DECODED_BYTES:]
            return b"", _TOO_MUCH
        data = data[_BLOCK_BYTES:]
    return inflater.unused_data + data, "" if inflater.eof else f"The {packing} data ends early."
