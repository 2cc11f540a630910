"""A record in pieces is the same JSON as the whole record, wherever its payload is cut."""

import base64
import json

import pytest

from infra.messages.record import record
from infra.messages.record_parts import PIECE_BYTES, base64_texts, is_utf8, record_parts, texts
from tests.support.firestore.writer import stored_message

PAYLOADS = {
    "empty": b"",
    "text": b"hello",
    "quotes and controls": b'"\\\x00\x7f\r\n\t/',
    "wide letters": "aé☃\N{GRINNING FACE}\u2028".encode() * 3,
    "long text": "é☃\N{GRINNING FACE}x".encode() * PIECE_BYTES,
    "bytes": bytes(range(256)) * 3,
    "long bytes": b"\xff\x00" * PIECE_BYTES,
    "half of a letter at the end": b"abc\xe2\x98",
    "half of a surrogate pair": b"\xed\xa0\x80",
}


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("cut", [1, 2, 5, 70_001])
def test_record_in_pieces_is_the_record(name: str, cut: int) -> None:
    payload = PAYLOADS[name]
    cut = max(cut, len(payload) // 20)
    parts = [payload[start : start + cut] for start in range(0, len(payload), cut)]
    message = stored_message(1, data=payload)
    is_text = is_utf8(parts)
    pieces = list(record_parts(message, parts, is_text=is_text, cursor="c"))
    assert json.loads(b"".join(pieces)) == {**record(message, payload), "cursor": "c"}
    assert max(map(len, pieces)) <= 6 * PIECE_BYTES + 1000
    if is_text:
        assert "".join(texts(parts)) == payload.decode()
    assert base64.b64decode("".join(base64_texts(parts))) == payload
