"""Cut JSON text into its parts by regular expressions, without parsing values: for the tree, the layout and the mask.

The parts keep the exact text that was sent: numbers, escapes, the order of names and repeated names. Text that is cut
off, or is not quite JSON, gives the parts that are there. Every pattern is possessive, so each scan takes linear time.
Pure.
"""

import re
from collections.abc import Iterator

from infra.messages.json_scalars import BYTE_ORDER_MARK

_STRING = r'"(?:[^"\\]|\\.)*+"'
_MARK = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
# The next member name, brace or end of text. Strings that are values are skipped together with their content.
_STRUCTURE = re.compile(
    rf'(?:[^"{{}}]++|{_STRING}(?!\s*+:))*+(?:"((?:[^"\\]|\\.)*+)"\s*+:|([{{}}])|\Z)',
    re.DOTALL,
)
# A string, or the start of one up to the end of the text.
_STRING_OR_START = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
# The parts of JSON: strings, brackets, commas, colons, numbers, words, white space.
_PARTS = re.compile(rf"(?:{_STRING_OR_START}|[{{}}\[\],:0-9A-Za-z.+\- \t\r\n]++)*+", re.DOTALL)
# Layout that `visible` wrote out; the end of the text may cut it.
_WRITTEN_OUT = re.compile(rf"({_STRING_OR_START})|\\(?:[tnr]|ufeff|\w{{0,4}}\Z)", re.DOTALL)
_VALUE = re.compile(rf'\s*+([{{\[]|{_STRING}|"|[^\s,\]}}"]++)', re.DOTALL)
# A lone quote means that the text was cut inside a string. Rescanning after each such quote would be quadratic.
_BRACKET = re.compile(rf'{_STRING}|["{{}}\[\]]', re.DOTALL)


def marks(text: str) -> Iterator[str]:
    """Yield each string, number, word, bracket, comma and colon of ``text`` as it was sent; no byte order mark."""
    return (match.group() for match in _MARK.finditer(text, int(text.startswith(BYTE_ORDER_MARK))))


def next_structure(text: str, position: int) -> re.Match[str] | None:
    """Find the next member name or brace from ``position`` on; None at the end of what can be read.

    Group 1 is the name as it was sent, without its quotes; group 2 the brace; the other one is None.
    """
    match = _STRUCTURE.match(text, position)
    return match if match and match.lastindex else None


def value_span(text: str, position: int) -> tuple[int, int]:
    """Return where the value after a colon starts and ends; it ends with the text when it is cut off."""
    match = _VALUE.match(text, position)
    if not match or match[1] == '"':
        return (match.start(1) if match else position), len(text)
    start = match.start(1)
    if match[1] not in ("{", "["):
        return start, match.end()
    depth = 0
    for bracket in _BRACKET.finditer(text, start):
        if bracket[0] == '"':
            break
        depth += (bracket[0] in "{[") - (bracket[0] in "}]")
        if not depth:
            return start, bracket.end()
    return start, len(text)


def split_readable(shown: str) -> tuple[str, str]:
    """Split a shown text where it stops being JSON: the longest start that JSON can have, and the rest.

    ``shown`` is JSON after ``visible``, perhaps cut. Layout that ``visible`` wrote out becomes white space again.
    """
    plain = _WRITTEN_OUT.sub(lambda match: match[1] or " ", shown)
    match = _PARTS.match(plain)
    end = match.end() if match else 0
    return plain[:end], plain[end:]
