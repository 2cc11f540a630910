"""Render a payload for its page: the views it has, one of them as HTML, and a note about missing parts. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from markupsafe import Markup, escape

from infra.messages.message import Kind, read_content
from infra.messages.nearly_text import is_nearly_text, marked_text
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
}
# Text has no control characters except layout; a protocol buffer's lengths and numbers are mostly control characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NO_SCHEMA = (
    "Read as a protocol buffer without its schema: fields have numbers, and their types are guesses. "
    "A field that may be text or a message is shown as both."
)
_KIND_WORDS = {"json": "JSON", "text": "text", "binary": "bytes", "empty": "nothing"}


@dataclass(frozen=True)
class RenderedPayload:
    """A payload as a page shows it.

    ``body`` is escaped HTML, drawn as the view ``drawn_as`` (decoded data can have any view). ``origin`` lists the
    decoded packings, ``note`` says which part is missing; both are empty when there is nothing to say. A body that
    ``is_marked`` has marks for bytes that are not UTF-8, so it is not the payload as it was sent.
    """

    view: View | None
    views: tuple[View, ...]
    body: Markup
    note: str = ""
    origin: str = ""
    drawn_as: View | None = None
    is_marked: bool = False


def render(head: bytes, size_bytes: int, kind: Kind, wanted: str | None = None) -> RenderedPayload:
    """Render the ``wanted`` view, or the best one, of a payload of ``size_bytes`` bytes that begins with ``head``."""
    if kind == "empty" or not size_bytes:
        return RenderedPayload(None, (), Markup())
    readable = _read(head, size_bytes, kind)
    views = readable.views
    if (fields := _fields(readable, head, size_bytes)) is not None:
        views = (*views, "protobuf")
    if decoders.is_packed(head):
        views = (*views, "decoded")
    view = next((known for known in views if known == wanted), views[0])
    if view == "decoded":
        return replace(_decoded(head, size_bytes), views=views)
    if view == "protobuf" and fields is not None:
        return RenderedPayload(view, views, escape(fields), _NO_SCHEMA, drawn_as=view)
    if view == "hex" or readable.text is None:
        note = _note(min(len(head), SHOWN_HEX_BYTES), size_bytes)
        return RenderedPayload(view, views, _hex(head[:SHOWN_HEX_BYTES]), note, drawn_as=view)
    body, problem = _draw(readable.text, kind, view)
    missing = _note(min(len(head), SHOWN_BYTES), size_bytes)
    note = " ".join(filter(None, (missing, problem, _marks_note(readable.marks))))
    return RenderedPayload(view, views, body, note, drawn_as=view, is_marked=readable.marks is not None)


@dataclass(frozen=True, slots=True)
class _Readable:
    """The beginning of a payload as text, None if it is none, and the views that suit it.

    ``marks`` counts the bytes that are not UTF-8; None if the payload is text, or no text at all.
    """

    text: str | None
    views: tuple[View, ...]
    marks: int | None = None


def _read(head: bytes, size_bytes: int, kind: Kind) -> _Readable:
    # A document edited by hand may claim any kind; bytes that are no UTF-8 are binary.
    beginning, is_cut = head[:SHOWN_BYTES], size_bytes > min(len(head), SHOWN_BYTES)
    text, views = _text(beginning, cut=is_cut), _VIEWS.get(kind, _VIEWS["binary"])
    if text is not None and views != _VIEWS["binary"]:
        return _Readable(text, views)
    if is_nearly_text(head):
        text, marks = marked_text(beginning, cut=is_cut)
        return _Readable(text, _VIEWS["text"], marks)
    return _Readable(None, _VIEWS["binary"])


def _fields(readable: _Readable, head: bytes, size_bytes: int) -> str | None:
    """Read the fields if the payload may be a protocol buffer: complete, and no text that is no message."""
    is_text = readable.text is not None and not readable.marks and not _CONTROL.search(readable.text)
    if size_bytes > min(len(head), SHOWN_BYTES) or (is_text and not protobuf.may_be_message(head)):
        return None
    return protobuf.fields_text(head)


def _draw(text: str, kind: Kind, view: View) -> tuple[Markup, str]:
    """Draw one view of a text; return it with a note, or with ``""``."""
    if view == "tree":
        drawn = json_tree.draw(text)
        return drawn.html, drawn.note
    if view == "pretty":
        laid_out = lay_out(text)
        if laid_out is not None:
            return colour(laid_out, "json"), ""
        return colour(text, "json"), "The formatted JSON would be very long, so it is shown as it was sent."
    return colour(text, _language(kind, text)), ""


def _decoded(head: bytes, size_bytes: int) -> RenderedPayload:
    """Decode a packed payload and draw the content in its best view."""
    decoded = decoders.decode(head, complete=len(head) >= size_bytes)
    kind = read_content(decoded.data).kind
    inside = render(decoded.data, len(decoded.data), kind)
    note = inside.note.replace("The download has all of it.", "The download has the payload as it was sent.")
    drawn_as = inside.drawn_as or "raw"
    return RenderedPayload("decoded", (), inside.body, note, _origin(decoded, size_bytes, kind), drawn_as)


def _origin(decoded: Decoded, size_bytes: int, kind: Kind) -> str:
    """Describe the packings: ``base64 (1.2 kB) of gzip (0.9 kB) of JSON (4.1 kB).``."""
    if not decoded.steps:
        return decoded.trouble
    names = [*(step.packing for step in decoded.steps), _KIND_WORDS[kind]]
    sizes = [size_bytes, *(step.size_bytes for step in decoded.steps)]
    chain = " of ".join(f"{name} ({size_text(size)})" for name, size in zip(names, sizes, strict=True))
    return f"{chain}. {decoded.trouble}".rstrip()


def _text(data: bytes, *, cut: bool) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        # The cut may have split the last character, which has at most four bytes.
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
    # 128,001 bytes would also be shown as 128 kB, so exact numbers are shown when the sizes are close.
    whole = size_text(size_bytes) if size_bytes >= shown_bytes * 1.1 else f"{size_bytes:,} bytes"
    return f"The first {size_text(shown_bytes)} of {whole} are shown. The download has all of it."


def _marks_note(marks: int | None) -> str:
    if not marks:
        return ""
    subject, verb = ("1 byte that is", "is") if marks == 1 else (f"{marks:,} bytes that are", "are")
    return f"{subject} not UTF-8 {verb} written like \\xfc."


def _hex(data: bytes) -> Markup:
    """Return rows of an offset, sixteen bytes, and their ASCII characters."""
    rows = []
    for start in range(0, len(data), _HEX_ROW):
        row = data[start : start + _HEX_ROW]
        pairs = f"{row[:8].hex(' ')}  {row[8:].hex(' ')}"
        characters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
        rows.append(f"{start:08x}  {pairs:<48}  {characters}")
    return escape("\n".join(rows))
