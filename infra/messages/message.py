"""One message: as Pub/Sub pushed it, as Firestore stores it, with its id, index tokens and preview.

Pure: no I/O, clock or environment. People read the names of the stored fields in the Firestore console.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from infra.messages.cursor import Cursor
from infra.messages.json_scalars import BYTE_ORDER_MARK, top_scalars
from infra.messages.nearly_text import is_nearly_text, marked_text
from infra.messages.visible_text import visible_start

Kind = Literal["json", "text", "binary", "empty"]

PREVIEW_CHARACTERS = 512
MAX_TOKENS = 30
MAX_TOKEN_BYTES = 500
# The last token of a message that has more of them. It is no `key=value`, and filters also search these messages.
MORE_TOKENS = "…"
# A longer JSON payload is not parsed: 10 MB cost 100 ms of CPU and hundreds of megabytes of memory.
MAX_PARSED_BYTES = 1024 * 1024

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Pushed:
    """One delivery by Pub/Sub. ``subscription`` is the full name; ``publish_time`` is aware UTC."""

    subscription: str
    message_id: str
    publish_time: datetime
    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""
    delivery_attempt: int | None = None

    @property
    def subscription_id(self) -> str:
        """The short id, after the last slash of the full name."""
        return self.subscription.rpartition("/")[2]

    @property
    def id(self) -> str:
        """The id of the message's document."""
        return document_id(self.subscription_id, self.message_id)


@dataclass(frozen=True, slots=True)
class Message:
    """One stored message. ``data`` is None when the payload is stored in chunks. All times are aware UTC."""

    id: str
    subscription: str
    message_id: str
    publish_time: datetime
    received_at: datetime
    attributes: Mapping[str, str]
    kind: Kind
    preview: str
    data: bytes | None
    chunks: int
    size_bytes: int
    sha256: str
    deliveries: int
    last_delivered_at: datetime
    expire_at: datetime
    ordering_key: str = ""
    delivery_attempt: int | None = None
    tokens: tuple[str, ...] = ()
    # As stored; ``infra.messages.severity.severity_of`` also knows that of a message without one.
    severity: str = ""

    @property
    def cursor(self) -> Cursor:
        """The message's position in lists and streams."""
        return Cursor(self.received_at, self.id)


def document_id(subscription_id: str, message_id: str) -> str:
    """Return the id of a message's document: uniform (sequential ids make hot spots), the same for every redelivery."""
    return hashlib.sha256(f"{subscription_id}/{message_id}".encode()).hexdigest()[:32]


def is_document_id(text: str) -> bool:
    """Tell whether ``text`` can be a message's document id. Other text must not reach a document path."""
    return _ID.fullmatch(text) is not None


def shard_of(document: str, shards: int) -> int:
    """Return the shard of a document, from 0 to ``shards`` - 1: each is an index range."""
    return int(document[:8], 16) % shards


@dataclass(frozen=True, slots=True)
class Content:
    """Derived from a payload: its kind, its preview, and its top-level JSON scalars as text."""

    kind: Kind
    preview: str
    scalars: tuple[tuple[str, str], ...] = ()


def read_content(data: bytes) -> Content:
    """Derive kind, preview and top-level scalars from a payload. JSON means an object or array of at most 1 MiB."""
    if not data:
        return Content("empty", "")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Content("binary", _binary_preview(data))
    scalars = top_scalars(data, text) if len(data) <= MAX_PARSED_BYTES else None
    if scalars is None:
        return Content("text", visible_start(text, PREVIEW_CHARACTERS))
    return Content("json", json_preview(text), scalars)


def json_preview(text: str) -> str:
    """Return the preview of JSON ``text``: on one line, without a byte order mark."""
    # JSON strings contain no raw control characters (RFC 8259, section 7), so every tab and line break is layout.
    # Masks read a stored preview again: it must not contain layout that is written out.
    start = text[: PREVIEW_CHARACTERS * 4].removeprefix(BYTE_ORDER_MARK)
    pieces = (piece.strip(" ") for piece in start.replace("\r", "\n").replace("\t", "\n").split("\n"))
    return visible_start(" ".join(filter(None, pieces)), PREVIEW_CHARACTERS)


def _binary_preview(data: bytes) -> str:
    if is_nearly_text(data):
        text, _ = marked_text(data[: PREVIEW_CHARACTERS * 4 + 4], cut=len(data) > PREVIEW_CHARACTERS * 4 + 4)
        return visible_start(text, PREVIEW_CHARACTERS)
    return data[: PREVIEW_CHARACTERS // 3].hex(" ")


def index_tokens(
    attributes: Mapping[str, str], scalars: tuple[tuple[str, str], ...], derived: Iterable[str] = ()
) -> list[str]:
    """Build the index tokens for filters: ``key=value`` per attribute, then ``data.key=value`` per top-level scalar.

    ``derived`` are the tokens of the severity and the trace, which come first, so that they always have room.

    At most 30, each at most 500 bytes of UTF-8. A longer one is left out and never cut, so that filters stay exact.
    If there are more than 30, the last token is ``MORE_TOKENS``.
    """
    tokens = dict.fromkeys(derived)
    for prefix, pairs in (("", attributes.items()), ("data.", scalars)):
        for key, value in pairs:
            if len(key) + len(value) > MAX_TOKEN_BYTES:
                continue  # skip early: a payload may be one long text
            token = f"{prefix}{key}={value}"
            if token in tokens or not fits_index(token):
                continue
            if len(tokens) == MAX_TOKENS:
                return [*list(tokens)[: MAX_TOKENS - 1], MORE_TOKENS]
            tokens[token] = None
    return list(tokens)


def fits_index(token: str) -> bool:
    """Tell whether ``token`` is short enough for the index and valid UTF-8."""
    if len(token) > MAX_TOKEN_BYTES or token.isascii():
        return len(token) <= MAX_TOKEN_BYTES
    try:
        return len(token.encode()) <= MAX_TOKEN_BYTES
    except UnicodeEncodeError:  # JSON may escape half a surrogate pair; Firestore stores only UTF-8
        return False
