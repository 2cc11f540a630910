"""What is shown of a payload: its views, its head when it is large, and why. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from markupsafe import Markup, escape

from infra.messages.message import Kind, read_content
from web.formats import size_text
from web.payloads import decoders, json_tree, protobuf
from web.payloads.decoders import Decoded
from web.payloads.highlight import Language, colour, lay_out

View = Literal["pretty", "tree", "raw", "hex", "protobuf", "decoded"]

SHOWN_BYTES = 128_000
SHOWN_HEX_BYTES = 8_000
_HEX_ROW = 16
_VIEWS: dict[str, tuple[View, ...]] = {
    "json": ("pretty", "tree", "raw", "hex"),
    "text": ("raw", "hex"),
    "binary": ("hex",),
    "empty": (),
}
# Text has none of these, but for what lays it out; the lengths and numbers of a protocol buffer are little else.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NO_SCHEMA = "Read as a protocol buffer without its schema: field numbers for names, and types that are guesses."
_KIND_WORDS = {"json": "JSON", "text": "text", "binary": "bytes", "empty": "nothing"}


@dataclass(frozen=True)
class Shown:
    """A payload as a page shows it.

    ``body`` is escaped HTML, drawn as the view ``drawn_as`` (what was decoded may be any). ``origin`` says what was
    undone, ``note`` what is missing; both empty when there is nothing to say.
    """

    view: View | None
    views: tuple[View, ...]
    body: Markup
    note: str = ""
    origin: str = ""
    drawn_as: View | None = None


def show(head: bytes, size_bytes: int, kind: Kind, wanted: str | None = None) -> Shown:
    """The ``wanted`` view of a payload of ``size_bytes`` bytes that begins with ``head``; the best one when unknown."""
    # A document that somebody made by hand may say anything; what does not decode is binary.
    views = _VIEWS.get(kind, _VIEWS["binary"])
    if not views or not size_bytes:
        return Shown(None, (), Markup())
    text = _text(head[:SHOWN_BYTES], cut=size_bytes > min(len(head), SHOWN_BYTES))
    if text is None:
        views = _VIEWS["binary"]
    if (fields := _fields(text, head, size_bytes)) is not None:
        views = (*views, "protobuf")
    if decoders.is_packed(head):
        views = (*views, "decoded")
    view = next((one for one in views if one == wanted), views[0])
    if view == "decoded":
        return replace(_decoded(head, size_bytes), views=views)
    if view == "protobuf" and fields is not None:
        return Shown(view, views, escape(fields), _NO_SCHEMA, drawn_as=view)
    if view == "hex" or text is None:
        body, shown_bytes, problem = _hex(head[:SHOWN_HEX_BYTES]), min(len(head), SHOWN_HEX_BYTES), ""
    else:
        body, problem = _draw(text, kind, view)
        shown_bytes = min(len(head), SHOWN_BYTES)
    note = " ".join(filter(None, (_note(shown_bytes, size_bytes), problem)))
    return Shown(view, views, body, note, drawn_as=view)


def _fields(text: str | None, head: bytes, size_bytes: int) -> str | None:
    """A payload's fields, where it may be a protocol buffer: whole, and not plainly text."""
    if size_bytes > min(len(head), SHOWN_BYTES) or (text is not None and not _CONTROL.search(text)):
        return None
    return protobuf.fields_text(head)


def _draw(text: str, kind: Kind, view: View) -> tuple[Markup, str]:
    """A view of text, and what there is to say about it."""
    if view == "tree":
        drawn = json_tree.draw(text)
        return drawn.html, drawn.note
    if view == "pretty":
        laid_out = lay_out(text)
        if laid_out is not None:
            return colour(laid_out, "json"), ""
        return colour(text, "json"), "Laid out, this would be very long; it is shown as it was sent."
    return colour(text, _language(kind, text)), ""


def _decoded(head: bytes, size_bytes: int) -> Shown:
    """What is inside a packed payload, drawn as suits it."""
    found = decoders.decode(head, complete=len(head) >= size_bytes)
    kind = read_content(found.data).kind
    inside = show(found.data, len(found.data), kind)
    note = inside.note.replace("The download has all of it.", "The download has the payload as it was sent.")
    drawn_as = inside.drawn_as or "raw"
    return Shown("decoded", (), inside.body, note, _origin(found, size_bytes, kind), drawn_as)


def _origin(found: Decoded, size_bytes: int, kind: Kind) -> str:
    """``base64 (1.2 kB) of gzip (0.9 kB) of JSON (4.1 kB).``"""
    if not found.steps:
        return found.trouble
    names = [*(step.packing for step in found.steps), _KIND_WORDS[kind]]
    sizes = [size_bytes, *(step.size_bytes for step in found.steps)]
    chain = " of ".join(f"{name} ({size_text(size)})" for name, size in zip(names, sizes, strict=True))
    return f"{chain}. {found.trouble}".rstrip()


def _text(data: bytes, *, cut: bool) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        # The cut may have split the last character, of at most four bytes.
        if cut and exc.start >= len(data) - 3 and exc.reason == "unexpected end of data":
            return data[: exc.start].decode()
        return None


def _language(kind: Kind, text: str) -> Language:
    if kind == "json":
        return "json"
    return "xml" if text.lstrip()[:1] == "<" else "text"


def _note(shown_bytes: int, size_bytes: int) -> str:
    if shown_bytes >= size_bytes:
        return ""
    # 128,001 bytes are 128 kB, too.
    whole = size_text(size_bytes) if size_bytes >= shown_bytes * 1.1 else f"{size_bytes:,} bytes"
    return f"The first {size_text(shown_bytes)} of {whole} are shown. The download has all of it."


def _hex(data: bytes) -> Markup:
    """Rows of offset, sixteen bytes and their ASCII characters."""
    rows = []
    for start in range(0, len(data), _HEX_ROW):
        row = data[start : start + _HEX_ROW]
        pairs = f"{row[:8].hex(' ')}  {row[8:].hex(' ')}"
        characters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
        rows.append(f"{start:08x}  {pairs:<48}  {characters}")
    return escape("\n".join(rows))
