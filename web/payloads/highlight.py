"""Colour payloads with Pygments, as escaped spans, and write the style sheet for light and dark. Pure.

The text stays as it was sent: the JSON layout changes white space only, so that numbers, the order of keys and repeated
keys stay. Characters that would hide or reorder other characters are written out.
"""

from functools import cache
from itertools import chain, pairwise
from typing import Any, ClassVar, Literal

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers.data import JsonLexer
from pygments.lexers.html import XmlLexer
from pygments.lexers.special import TextLexer
from pygments.style import Style
from pygments.token import Comment, Error, Keyword, Name, Number, Punctuation, String, Token

from infra.messages.json_scanner import marks
from infra.messages.visible_text import visible

Language = Literal["json", "xml", "text"]

_INDENT = "  "
_MAX_INDENTS = 40  # indent no deeper level: 100,000 open brackets must not become gigabytes
_MAX_CHARACTERS = 1_000_000
_CLOSING = {"{": "}", "[": "]"}


class _Light(Style):
    background_color = "transparent"
    styles: ClassVar = {
        Token: "#1f2733",
        Name.Tag: "#0b5394",
        Name.Attribute: "#0b5394",
        String: "#1c6b36",
        Number: "#9a3b00",
        Keyword: "#7a2fa0",
        Punctuation: "#5a6675",
        Comment: "#5a6675",
        Error: "#a8201a",
    }


class _Dark(Style):
    background_color = "transparent"
    styles: ClassVar = {
        Token: "#d8dee6",
        Name.Tag: "#8cc2ff",
        Name.Attribute: "#8cc2ff",
        String: "#93d5a1",
        Number: "#f2b27a",
        Keyword: "#d3a6f0",
        Punctuation: "#97a3b3",
        Comment: "#97a3b3",
        Error: "#ff9a92",
    }


# Pygments' XML lexer takes quadratic time: 0.1 s for 4,000 hostile characters, 1.5 s for 16,000.
MAX_XML_CHARACTERS = 4_000


def colour(text: str, language: Language) -> Markup:
    """Return ``text`` as escaped spans, after writing out every character that could hide another."""
    lines = _safe_lines(text)
    if language == "xml" and len(lines) > MAX_XML_CHARACTERS:
        return escape(lines)
    html = highlight(lines, _lexer(language), HtmlFormatter(nowrap=True))
    # The formatter always ends the last line; remove that line break, so that a copy equals the text that was sent.
    html = html if lines.endswith("\n") else html.removesuffix("\n")
    return Markup(html)  # noqa: S704 - the formatter escapes what the lexer found


def lay_out(text: str) -> str | None:
    """Replace the white space of JSON ``text`` by line breaks and indents; None above 1,000,000 characters."""
    pieces: list[str] = []
    depth = written = 0
    preceding = ""
    for mark, following in pairwise(chain(marks(text), ("",))):
        piece, depth = _piece(mark, following, preceding, depth)
        pieces.append(piece)
        written += len(piece)
        preceding = mark
        if written > _MAX_CHARACTERS:
            return None
    return "".join(pieces)


def _piece(mark: str, following: str, preceding: str, depth: int) -> tuple[str, int]:
    """Return one mark (a string, a number, a bracket …) with its white space, and the depth after it."""
    if mark in _CLOSING:
        return (mark, depth + 1) if _CLOSING[mark] == following else (mark + _break(depth + 1), depth + 1)
    if mark in ("}", "]"):
        empty = _CLOSING.get(preceding) == mark
        return (mark if empty else _break(depth - 1) + mark), depth - 1
    if mark == ",":
        return mark + _break(depth), depth
    return (mark + " " if mark == ":" else mark), depth


def _break(depth: int) -> str:
    return "\n" + _INDENT * max(0, min(depth, _MAX_INDENTS))


def _safe_lines(text: str) -> str:
    """Write out control, format and bidirectional characters; keep line breaks and tabs."""
    return "\n".join("\t".join(visible(cell) for cell in line.split("\t")) for line in text.split("\n"))


def _lexer(language: Language) -> Lexer:
    # By default Pygments strips and adds line breaks.
    match language:
        case "json":
            return JsonLexer(stripnl=False, ensurenl=False)
        case "xml":
            return XmlLexer(stripnl=False, ensurenl=False)
        case _:
            return TextLexer(stripnl=False, ensurenl=False)


@cache
def style_sheet() -> str:
    """Return the rules for both themes: the system's choice, unless the page sets ``data-bs-theme``."""
    light = _rules(_Light, ".code")
    by_system = _rules(_Dark, ":root:not([data-bs-theme=light]) .code")
    by_choice = _rules(_Dark, "[data-bs-theme=dark] .code")
    system = ["@media (prefers-color-scheme: dark) {", *by_system, "}"]
    return "\n".join([*light, *system, *by_choice, ""])


def _rules(style: type[Style], within: str) -> list[str]:
    # get_style_defs would add rules for every <pre> of the page.
    formatter: Any = HtmlFormatter(style=style)
    rules: list[str] = formatter.get_token_style_defs(within)
    return rules
