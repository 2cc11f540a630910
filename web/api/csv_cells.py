"""Write texts as cells that no spreadsheet takes for a formula, and that programs read exactly where possible. Pure.

A publisher wrote the text, and a person opens the file (owasp.org/www-community/attacks/CSV_Injection). Spreadsheets
split a row at commas, semicolons or tabs, by the country and the dialog, and then know no quotes within a cell. So a
``'`` goes before a formula wherever one of them would begin a cell: at the start of a text, and within it after a
semicolon, a tab or a line break. Quoting does not help: the cell that such a reader sees begins behind the quote.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

_LINE_BREAK = "\n\v\f\r\x1c-\x1e\x85\u2028\u2029"
# The full-width forms count as well: some spreadsheets change them to the plain ones.
_FORMULA = "=+\\-@＝＋－＠"
# Characters before a formula that readers remove: quotation marks, control characters, and those without a width.
_REMOVED = '"\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u2060\ufeff'
_NUMBER = r"(?:[+-]?[0-9]++(?:[.,][0-9]++)*+(?:[eE][+-]?[0-9]++)?+|\+[0-9]++(?: [0-9]++)*+)"
_FORMULA_AHEAD = f"(?=[{_REMOVED}]*+[{_FORMULA}])"
_AT_START = re.compile(rf"(?!{_NUMBER}\Z){_FORMULA_AHEAD}|(?=[\t\r\n])")
# A number within a text is left alone if each reader that sees it as a cell also sees the cell end there. The end of
# the text is no such place: for a reader of semicolons, the next column continues the cell.
_WITHIN = re.compile(
    f"[;\t{_LINE_BREAK}](?:"
    rf"(?:(?<=;)(?!{_NUMBER}(?:;|\r?\n))|(?<=\t)(?!{_NUMBER}(?:\t|\r?\n))|(?<![;\t])(?!{_NUMBER}[ ,\]}}]*+\r?\n))"
    rf"{_FORMULA_AHEAD}|(?<=;)(?=[\t\r]))"
)
# After one of these letters, the following text cannot change whether a formula begins. The letter e is left out
# because it may be the exponent of a number.
_LETTER = re.compile("[A-DF-Za-df-z]")
_NO_SEPARATOR = re.compile(f"[^;\t{_LINE_BREAK}{_REMOVED}]")
_LOOK_BACK = 4096
_MAX_WITHOUT_LETTERS = 256 * 1024
_IS_NUMBER = re.compile(_NUMBER)
# Excel keeps 15 digits of a number, and neither zeros nor a plus sign before it.
_EXACT_DIGITS = 15


def cell(text: str) -> str:
    """Return ``text`` with a ``'`` before each place where a reader would see a formula. Plain numbers have none."""
    return f"'{_within(text)}" if _AT_START.match(text) else _within(text)


def long_cell(texts: Iterable[str]) -> Iterator[str]:
    """Yield ``cell`` of a long text that comes in pieces.

    It is cut behind letters, where it is the same. In a long text without letters a number may get a ``'`` as well.
    """
    rest, write = "", cell
    for text in texts:
        rest += text
        cut = _last(_LETTER, rest)
        if not cut and len(rest) > _MAX_WITHOUT_LETTERS:
            cut = _last(_NO_SEPARATOR, rest)
        if cut:
            yield write(rest[:cut])
            rest, write = rest[cut:], _within
    yield write(rest)


def _within(text: str) -> str:
    ends = [0, *(separator.end() for separator in _WITHIN.finditer(text)), len(text)]
    return "'".join(text[start:end] for start, end in pairwise(ends))


def _last(character: re.Pattern[str], text: str) -> int:
    """Return the end of the last such character among the last ones of a text; 0 if there is none."""
    for end in range(len(text), max(0, len(text) - _LOOK_BACK), -1):
        if character.match(text, end - 1):
            return end
    return 0


def excel_cell(text: str) -> str:
    """Return ``cell``, but a number that Excel would change, such as a long id, as ``="1234567890123456"``."""
    if _IS_NUMBER.fullmatch(text) and (text[0] == "+" or _is_changed(text.lstrip("-"))):
        return f'="{text}"'
    return cell(text)


def _is_changed(digits: str) -> bool:
    has_zero_before = digits[0] == "0" and digits[1:2].isdigit()
    return has_zero_before or sum(map(str.isdigit, digits)) > _EXACT_DIGITS
