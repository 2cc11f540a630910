"""The differences between two sequences as edits: of lines, of words within a line, of bytes. Pure.

``apply(edits(a, b), a) == b`` for all sequences.
"""

import io
import re
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from infra.messages.compare.effort import Effort
from infra.messages.compare.sequences import common_ends, runs

# A longer changed part of a line is not cut into words.
MAX_WORDS_CHARACTERS = 40_000
_WORD = re.compile(r"\w+|\W")
_WORD_BEFORE, _WORD_AFTER = re.compile(r"\w+\Z"), re.compile(r"\w+")
_LONG_WORD = 60
# Longer lines are cut where their content separates parts, so that an insertion moves no other cut.
MAX_LINE_CHARACTERS = 1_000
MAX_LINES = 50_000
_PART = re.compile(r".{24}[^,;>}\n]*+[,;>}\n]|.++", re.DOTALL)

Items = TypeVar("Items", list[str], bytes)


class Edit(NamedTuple, Generic[Items]):
    """The items ``removed``, from ``a[at_a]`` on, become ``added``, from ``b[at_b]`` on. One of both may be empty."""

    at_a: int
    at_b: int
    removed: Items
    added: Items


def edits(a: Items, b: Items, effort: Effort | None = None) -> list[Edit[Items]]:
    """Return the edits that turn ``a`` into ``b``, ascending and with equal items between them."""
    found: list[Edit[Items]] = []
    at_a = at_b = 0
    for run_a, run_b, count in [*runs(a, b, effort or Effort()), (len(a), len(b), 0)]:
        if run_a > at_a or run_b > at_b:
            found.append(Edit(at_a, at_b, a[at_a:run_a], b[at_b:run_b]))
        at_a, at_b = run_a + count, run_b + count
    return found


def apply(found: Sequence[Edit[Items]], a: Items) -> Items:
    """Return ``a`` after all edits."""
    result = a[:0]
    at = 0
    for edit in found:
        result = result + a[at : edit.at_a] + edit.added
        at = edit.at_a + len(edit.removed)
    return result + a[at:]


def lines(text: str) -> tuple[list[str], bool]:
    """Cut a text into lines with their ends; ``"".join`` undoes it.

    Long lines, and a text of very many lines, are cut into parts after separators. The second value tells whether every
    part is a whole line.
    """
    if text.count("\n") > MAX_LINES:
        return _PART.findall(text), False
    whole = io.StringIO(text, newline="\n").readlines()  # str.splitlines cuts at other characters as well
    if len(max(whole, key=len, default="")) <= MAX_LINE_CHARACTERS:
        return whole, True
    parts: list[str] = []
    for line in whole:
        parts += _PART.findall(line) if len(line) > MAX_LINE_CHARACTERS else [line]
    return parts, False


class Piece(NamedTuple):
    """A part of a line in both versions; equal texts mean an equal part."""

    old: str
    new: str


def pieces(old: str, new: str, effort: Effort) -> list[Piece]:
    """Cut two versions of one line into equal and changed parts, by words."""
    head, tail = _whole_words(old, *common_ends(old, new))
    inner_old, inner_new = old[head : len(old) - tail], new[head : len(new) - tail]
    found = [Piece(old[:head], old[:head])]
    if max(len(inner_old), len(inner_new)) > MAX_WORDS_CHARACTERS or not inner_old or not inner_new:
        found.append(Piece(inner_old, inner_new))
    else:
        found += _by_words(_WORD.findall(inner_old), _WORD.findall(inner_new), effort)
    found.append(Piece(old[len(old) - tail :], old[len(old) - tail :]))
    return [piece for piece in found if piece.old or piece.new]


def _whole_words(line: str, head: int, tail: int) -> tuple[int, int]:
    """Shorten the equal start and end of a line so that they cut no word."""
    before = _WORD_BEFORE.search(line, max(0, head - _LONG_WORD), head)
    after = _WORD_AFTER.match(line, len(line) - tail, len(line) - tail + _LONG_WORD)
    return head - len(before[0] if before else ""), tail - len(after[0] if after else "")


def _by_words(old: list[str], new: list[str], effort: Effort) -> list[Piece]:
    found, at = [], 0
    for edit in edits(old, new, effort):
        same = "".join(old[at : edit.at_a])
        found += [Piece(same, same), Piece("".join(edit.removed), "".join(edit.added))]
        at = edit.at_a + len(edit.removed)
    rest = "".join(old[at:])
    return [*found, Piece(rest, rest)]
