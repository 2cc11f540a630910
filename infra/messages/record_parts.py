"""A message with a long payload as one JSON object, in pieces: only one of them is in memory. Pure."""

import base64
import codecs
import json
from collections.abc import Iterable, Iterator

from infra.messages.message import Message
from infra.messages.record import record

# A multiple of three, so that each piece in base64 ends without padding. JSON makes six bytes of a control character.
PIECE_BYTES = 48 * 1024


def is_utf8(parts: Iterable[bytes]) -> bool:
    """Tell whether a payload is UTF-8 as a whole."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for part in parts:
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def record_parts(message: Message, parts: Iterable[bytes], *, is_text: bool, **more: object) -> Iterator[bytes]:
    """Yield ``record`` as JSON, with further fields; ``is_text`` is what ``is_utf8`` said of the same ``parts``."""
    fields = {name: value for name, value in record(message, None).items() if name not in ("data", "data_base64")}
    name, other = ("data", "data_base64") if is_text else ("data_base64", "data")
    yield json.dumps({**fields, **more, other: None})[:-1].encode() + f', "{name}": "'.encode()
    for piece in texts(parts) if is_text else base64_texts(parts):
        yield json.dumps(piece)[1:-1].encode()
    yield b'"}'


def texts(parts: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of a payload that is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for part in parts:
        for start in range(0, len(part), PIECE_BYTES):
            if text := decoder.decode(part[start : start + PIECE_BYTES]):
                yield text


def base64_texts(parts: Iterable[bytes]) -> Iterator[str]:
    """Yield the base64 of a payload."""
    rest = b""
    for part in parts:
        data = rest + part
        whole = len(data) - len(data) % 3
        for start in range(0, whole, PIECE_BYTES):
            yield base64.b64encode(data[start : min(start + PIECE_BYTES, whole)]).decode()
        rest = data[whole:]
    if rest:
        yield base64.b64encode(rest).decode()
