"""What is shown of a payload: its views (pretty, raw, hex), its head when it is large, and why. Pure."""

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from infra.message import Kind
from web.formats import size_text
from web.highlight import Language, colour, lay_out

View = Literal["pretty", "raw", "hex"]

SHOWN_BYTES = 128_000
SHOWN_HEX_BYTES = 8_000
_HEX_ROW = 16
_VIEWS: dict[str, tuple[View, ...]] = {
    "json": ("pretty", "raw", "hex"),
    "text": ("raw", "hex"),
    "binary": ("hex",),
    "empty": (),
}


@dataclass(frozen=True)
class Shown:
    """A payload as a page shows it. ``note`` says what is missing; empty when everything is there."""

    view: View | None
    views: tuple[View, ...]
    body: Markup
    note: str = ""


def show(head: bytes, size_bytes: int, kind: Kind, wanted: str | None = None) -> Shown:
    """The ``wanted`` view of a payload of ``size_bytes`` bytes that begins with ``head``; the best one when unknown."""
    # A document that somebody made by hand may say anything; what does not decode is binary.
    views = _VIEWS.get(kind, _VIEWS["binary"])
    if not views or not size_bytes:
        return Shown(None, (), Markup())
    text = _decoded(head[:SHOWN_BYTES], cut=size_bytes > min(len(head), SHOWN_BYTES))
    if text is None:
        views = _VIEWS["binary"]
    view = next((one for one in views if one == wanted), views[0])
    if view == "hex" or text is None:
        return Shown("hex", views, _hex(head[:SHOWN_HEX_BYTES]), _note(min(len(head), SHOWN_HEX_BYTES), size_bytes))
    note = _note(min(len(head), SHOWN_BYTES), size_bytes)
    if view == "pretty":
        laid_out = lay_out(text)
        if laid_out is not None:
            return Shown(view, views, colour(laid_out, "json"), note)
        note = note or "Laid out, this would be very long; it is shown as it was sent."
    return Shown(view, views, colour(text, _language(kind, text)), note)


def _decoded(data: bytes, *, cut: bool) -> str | None:
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
    return f"The first {size_text(shown_bytes)} of {size_text(size_bytes)} are shown. The download has all of it."


def _hex(data: bytes) -> Markup:
    """Rows of offset, sixteen bytes and their ASCII characters."""
    rows = []
    for start in range(0, len(data), _HEX_ROW):
        row = data[start : start + _HEX_ROW]
        pairs = f"{row[:8].hex(' ')}  {row[8:].hex(' ')}"
        characters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
        rows.append(f"{start:08x}  {pairs:<48}  {characters}")
    return escape("\n".join(rows))
