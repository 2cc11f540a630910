"""Draw JSON as a tree that folds without a script: nested ``<details>``, each name and value as it was sent. Pure.

The text is cut into marks and never parsed into values, so that numbers, escapes, the order of keys and repeated keys
stay those of the source. Invalid or cut JSON gives a tree of the readable part.
"""

import re
from dataclasses import dataclass, field
from itertools import chain, pairwise

from markupsafe import Markup, escape

from infra.messages.json_scanner import marks
from infra.messages.visible_text import visible

MAX_DEPTH = 64
MAX_NODES = 20_000
# Deeper levels, and objects and arrays with more children, are folded at first.
_OPEN_DEPTH = 3
_OPEN_CHILDREN = 100

_NUMBER = re.compile(r"-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_CLOSING = {"{": "}", "[": "]"}
_COUNTED = {"{": ("key", "keys"), "[": ("item", "items")}
# The browser numbers an array's items, so that the numbers are not part of the copied text.
_BRANCH = {"{": ('<ul class="branch">', "</ul>"), "[": ('<ol class="branch" start="0">', "</ol>")}
_TOO_MANY = f"The tree ends after {MAX_NODES:,} values."
_TOO_DEEP = f"The tree shows {MAX_DEPTH} levels; deeper ones are left out."


@dataclass(frozen=True)
class Tree:
    """The tree as escaped HTML. ``note`` says which part is left out; empty for a complete tree."""

    html: Markup
    note: str = ""


@dataclass
class _Level:
    """An open object or array. Its first line, at index ``place``, holds the count, so it is written at the end."""

    mark: str
    label: str
    place: int
    children: int = 0
    keys: set[str] = field(default_factory=set)


def draw(text: str) -> Tree:
    """Draw JSON ``text`` as a tree of at most 20,000 values and 64 levels."""
    drawing = _Drawing()
    for mark, following in pairwise(chain(marks(text), ("",))):
        if drawing.nodes >= MAX_NODES and mark not in ("}", "]"):
            drawing.note = _TOO_MANY
            break
        drawing.take(mark, is_key=following == ":")
    return drawing.end()


class _Drawing:
    """The lines so far, as escaped HTML, and the open levels."""

    def __init__(self) -> None:
        self.nodes = 0
        self.note = ""
        self._lines: list[str] = []
        self._levels: list[_Level] = []
        self._label = ""
        self._hidden_levels = 0  # open levels below the deepest one that is shown

    def take(self, mark: str, *, is_key: bool) -> None:
        if mark in _CLOSING:
            self._open(mark)
        elif mark in ("}", "]"):
            self._close(mark)
        elif mark not in (",", ":") and not self._hidden_levels:
            if is_key and mark[0] == '"' and self._levels:
                self._label = self._key(mark)
            else:
                self._add(_value(mark))

    def end(self) -> Tree:
        """Close the levels that the text left open."""
        while self._levels:
            self._write_first_line(self._levels.pop(), is_cut=True)
        html = f'<ul class="branch root">{"".join(self._lines)}</ul>'
        return Tree(Markup(html), self.note)  # noqa: S704 - every name and value was escaped when its line was made

    def _open(self, mark: str) -> None:
        if len(self._levels) >= MAX_DEPTH:
            self.note = _TOO_DEEP
            if not self._hidden_levels:
                self._add(f'<span class="p">{mark}…{_CLOSING[mark]}</span>')
            self._hidden_levels += 1
            return
        self._count()
        self._levels.append(_Level(mark, self._label, len(self._lines)))
        self._label = ""
        self._lines.append("")

    def _close(self, mark: str) -> None:
        if self._hidden_levels:
            self._hidden_levels -= 1
        elif self._levels:
            self._write_first_line(self._levels.pop(), is_cut=False)
        else:
            self._add(_value(mark))

    def _add(self, value: str) -> None:
        self._count()
        self._lines.append(f"<li>{self._label}{value}</li>")
        self._label = ""

    def _count(self) -> None:
        self.nodes += 1
        if self._levels:
            self._levels[-1].children += 1

    def _key(self, mark: str) -> str:
        keys = self._levels[-1].keys
        again = '<span class="again">repeated </span>' if mark in keys else ""
        keys.add(mark)
        return f'<span class="nt">{escape(visible(mark))}</span><span class="p">: </span>{again}'

    def _write_first_line(self, level: _Level, *, is_cut: bool) -> None:
        """Write the first and the last line of an object or array; an empty one is a single line."""
        brackets = level.mark + _CLOSING[level.mark]
        if not level.children and not is_cut:
            self._lines[level.place] = f'<li>{level.label}<span class="p">{brackets}</span></li>'
            return
        is_open = not self._levels or (len(self._levels) < _OPEN_DEPTH and level.children <= _OPEN_CHILDREN)
        count = f"{level.children:,}{'+' * is_cut} {_COUNTED[level.mark][is_cut or level.children != 1]}"
        first, last = _BRANCH[level.mark]
        self._lines[level.place] = (
            f"<li><details{' open' * is_open}><summary>{level.label}"
            f'<span class="p">{brackets[0]}</span> <span class="count">{count}</span> '
            f'<span class="p">{brackets[1]}</span>'
            f"</summary>{first}"
        )
        self._lines.append(f"{last}</details></li>")


def _value(mark: str) -> str:
    return f'<span class="{_style(mark)}">{escape(visible(mark))}</span>'


def _style(mark: str) -> str:
    """Return the CSS class, named as Pygments does: string, number, word, or invalid JSON."""
    if mark[0] == '"':
        return "s2"
    if mark in ("true", "false", "null"):
        return "kc"
    return "mi" if _NUMBER.fullmatch(mark) else "err"
