"""Payloads that were packed: base64, gzip, zlib, one inside the other. Pure, bounded, and never raises.

``is_packed`` only looks at how a payload begins; nothing is inflated before somebody asks for it. What comes out is cut
at 1 MB whatever went in: a few kilobytes that would become gigabytes cost no more than any other payload.
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
# A gzip file may be many, one after the other; each copies what is left, so tiny ones would cost their square.
_MAX_MEMBERS = 64
_BLOCK_BYTES = 64 * 1024
_SNIFFED_BYTES = 4096
# Shorter words are base64 by chance.
_LEAST_BASE64 = 16
_BASE64 = re.compile(rb"[A-Za-z0-9+/]++={0,2}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_CONTROLS = frozenset(map(chr, range(0x20))) - set("\t\n\r\f\x1b")
_GZIP = b"\x1f\x8b\x08"
_WINDOW_BITS = {"gzip": 31, "zlib": 15}  # which header zlib expects
_CUT = "Only its beginning was read."
_TOO_MUCH = "There is more inside; it is cut after 1 MB."


@dataclass(frozen=True)
class Step:
    """One packing undone, and the bytes that came out."""

    packing: Packing
    size_bytes: int


@dataclass(frozen=True)
class Decoded:
    """What is inside, and the steps to it. ``trouble`` says why it ends early; empty when it is whole."""

    data: bytes
    steps: tuple[Step, ...]
    trouble: str = ""


def is_packed(data: bytes) -> bool:
    """Whether a payload that begins with ``data`` looks like one of the packings. It may still be broken inside."""
    return _packing(data) is not None


def decode(data: bytes, *, complete: bool = True) -> Decoded:
    """Undo up to four packings around ``data``; more of it follows unless ``complete``. At most 1 MB comes out."""
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
    """A header as in RFC 1950, section 2.2, before something that is not text: "x^2" would pass for one."""
    if len(data) < 8 or data[0] != 0x78 or data[1] & 0x20 or int.from_bytes(data[:2]) % 31:
        return False
    return not _is_text(data[:_SNIFFED_BYTES])


def _looks_like_base64(data: bytes) -> bool:
    """The alphabet alone is not enough, for so looks every identifier: something must be inside."""
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
    """The bytes inside; empty when it is not base64. Lines may be broken, and padding may be missing, as in URLs."""
    digits = data.translate(_URL_SAFE, b"\r\n").strip()
    if len(digits) < _LEAST_BASE64 or not _BASE64.fullmatch(digits):
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
        return b"", "It begins as base64 and goes on as something else."
    if len(unpacked) > MAX_DECODED_BYTES:
        return unpacked[:MAX_DECODED_BYTES], _TOO_MUCH
    return unpacked, "" if complete else _CUT


def _inflate(data: bytes, packing: Packing, complete: bool) -> tuple[bytes, str]:
    """All members of ``data``, one after the other: what came out, and why it ends early."""
    out = bytearray()
    for _ in range(_MAX_MEMBERS):
        data, trouble = _inflate_member(data, packing, out)
        if trouble:
            return bytes(out), trouble if complete or trouble == _TOO_MUCH else _CUT
        if not data.startswith(_GZIP) or packing != "gzip":
            # Padding with zeros is customary.
            return bytes(out), f"Other bytes follow the {packing} data." if data.strip(b"\x00") else ""
    return bytes(out), f"More than {_MAX_MEMBERS} {packing} files follow one another; these are the first."


def _inflate_member(data: bytes, packing: Packing, out: bytearray) -> tuple[bytes, str]:
    """Inflate block by block, so that what came before an error is kept; return what follows the member."""
    inflater = zlib.decompressobj(_WINDOW_BITS[packing])
    while data and not inflater.eof:
        try:
            out += inflater.decompress(data[:_BLOCK_BYTES], MAX_DECODED_BYTES + 1 - len(out))
        except zlib.error:
            return b"", f"The {packing} data is broken after this." if out else f"The {packing} data is broken."
        if len(out) > MAX_DECODED_BYTES:
            del out[MAX_DECODED_BYTES:]
            return b"", _TOO_MUCH
        data = data[_BLOCK_BYTES:]
    return inflater.unused_data + data, "" if inflater.eof else f"The {packing} data ends early."
