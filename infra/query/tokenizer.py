"""Split a filter into words, with position, quoting and operator. Pure; takes time linear in the text's length."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.errors import InputError
from infra.messages.visible_text import is_visible, visible
from infra.query.foreign import looks_foreign

Operator = Literal["", "=", "~", ":"]
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_HEX_DIGITS = {"u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")
_NEEDS_QUOTES = frozenset('"=~:')
OR = "OR"
_BAD_ESCAPE = r"within quotes a backslash begins \" \\ \n \r \t, \u and four, or \U and eight hex digits."


class QueryError(InputError):
    """An invalid filter: 400. ``column`` counts from 1; ``problem`` is the sentence without the column."""

    def __init__(self, column: int, problem: str) -> None:
        super().__init__("q", f"at column {column}, {problem}")
        self.column = column
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Word:
    """One term with its quotes removed. Without an ``operator``, ``value`` is the whole term. Columns count from 1."""

    source: str
    column: int
    negated: bool
    key: str
    operator: Operator
    value: str
    value_column: int


def words(text: str) -> Iterator[Word]:
    """Yield the words of ``text``: white space outside quotes separates them. Raises QueryError."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
        else:
            reader = _Reader(text, position)
            yield reader.word()
            position = reader.position


def quoted(text: str) -> str:
    """Quote ``text`` where needed, on one line, so that a filter searches for exactly this text."""
    if text and text[0] not in "-(" and text != OR and _is_plain(text) and not looks_foreign(text):
        return text
    return '"' + visible(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _is_plain(text: str) -> bool:
    return is_visible(text) and not any(character in _NEEDS_QUOTES or character.isspace() for character in text)


class _Reader:
    """Reads one word of ``text``, from ``position`` on."""

    def __init__(self, text: str, position: int) -> None:
        self.position = position
        self._text = text
        self._start = position
        self._read: list[str] = []
        self._has_quotes = False
        self._key = ""
        self._operator: Operator = ""
        self._value_start = position

    def word(self) -> Word:
        negated = self._text[self.position] == "-"
        if negated:
            self.position += 1
            self._value_start = self.position
        while self.position < len(self._text) and not self._text[self.position].isspace():
            self._step(self._text[self.position])
        if not self._read and not self._has_quotes and not self._operator:
            raise QueryError(self._start + 1, "nothing follows the -; in quotes it is text.")
        return Word(
            source=self._text[self._start : self.position],
            column=self._start + 1,
            negated=negated,
            key=self._key,
            operator=self._operator,
            value="".join(self._read),
            value_column=self._value_start + 1,
        )

    def _step(self, character: str) -> None:
        self.position += 1
        if character == '"':
            self._has_quotes = True
            self._quoted(self.position)
        elif not self._operator and self._is_operator(character):
            self._take_key(character)
        else:
            self._read.append(character)

    def _is_operator(self, character: str) -> bool:
        if character == ":":
            # Only letters can be a prefix such as kind: — 10:42 is text.
            return not self._has_quotes and bool(self._read) and all(map(_is_letter, self._read))
        return character in "=~"

    def _take_key(self, operator: str) -> None:
        if not self._read and not self._has_quotes:
            raise QueryError(self.position, f"a name is missing before {operator}; in quotes it is text.")
        self._key = "".join(self._read)
        self._operator = "=" if operator == "=" else "~" if operator == "~" else ":"
        self._read = []
        self._has_quotes = False
        self._value_start = self.position

    def _quoted(self, opened_at: int) -> None:
        while self.position < len(self._text):
            character = self._text[self.position]
            self.position += 1
            if character == '"':
                return
            self._read.append(self._escape() if character == "\\" else character)
        raise QueryError(opened_at, "this quote is not closed.")

    def _escape(self) -> str:
        column = self.position
        character = self._text[self.position : self.position + 1]
        self.position += 1
        if character in _ESCAPES:
            return _ESCAPES[character]
        digits = _HEX_DIGITS.get(character, 0)
        code = self._text[self.position : self.position + digits]
        if digits and len(code) == digits and _HEX.issuperset(code) and _is_character(int(code, 16)):
            self.position += digits
            return chr(int(code, 16))
        raise QueryError(column, _BAD_ESCAPE)


def _is_character(code: int) -> bool:
    return code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()
