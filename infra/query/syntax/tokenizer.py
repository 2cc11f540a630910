"""Split a filter into words, with position, quoting and operator. Pure; takes time linear in the text's length."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.errors import InputError
from infra.messages.visible_text import is_visible, visible
from infra.query.syntax.foreign import looks_foreign

# "(" and ")" are brackets of a group; "/" is an expression anywhere, "=~" one in the value of a name.
Operator = Literal["", "=", "!=", "~", ":", ">", ">=", "<", "<=", "/", "=~", "(", ")"]
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_HEX_DIGITS = {"u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")
_NEEDS_QUOTES = frozenset('"=~:<>()')
OR = "OR"
AND = "AND"
_BAD_ESCAPE = r"within quotes a backslash begins \" \\ \n \r \t, \u and four, or \U and eight hex digits."
_OPENING = re.compile(r"-?\(")
_COMPARATORS: dict[str, Operator] = {">=": ">=", "<=": "<=", "!=": "!=", ">": ">", "<": "<"}
# White space at its ends would make one of two words of text: a / b.* / c.
_EXPRESSION = re.compile(r"/(?!\s)((?:[^/\\]|\\[\s\S])++)(?<!\s)/(?=\s|\Z|(\)))")
# Without one of these, /orders/ is a text such as a part of a path.
EXPRESSION_SIGNS = frozenset(r"\^$.*+?[{(|")
# Other names than of letters, such as item_count, have a range of numbers or times only: other texts are texts.
_NAME_OF_RANGE = re.compile(r"[^\W\d][\w.-]*")
_RANGE = re.compile(r"(?=[^\s)]*[0-9])(?=[-+0-9.:TZe]*+(?:\s|\)|\Z))[^\s)]*?\.\.")


class QueryError(InputError):
    """An invalid filter: 400. ``column`` counts from 1; ``problem`` is the sentence without the column."""

    def __init__(self, column: int, problem: str) -> None:
        super().__init__("q", f"at column {column}, {problem}")
        self.column = column
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Word:
    """One term with its quotes removed, or a bracket. Columns count from 1.

    Without an ``operator``, ``value`` is the whole term. ``is_quoted`` tells whether the key has quotes.
    """

    source: str
    column: int
    negated: bool
    key: str
    operator: Operator
    value: str
    value_column: int
    is_quoted: bool = False

    @property
    def end(self) -> int:
        """The index behind the word."""
        return self.column - 1 + len(self.source)


def words(text: str) -> Iterator[Word]:
    """Yield the words of ``text``: white space outside quotes separates them. Raises QueryError."""
    position, depth = 0, 0
    while position < len(text):
        if text[position].isspace():
            position += 1
        elif opening := _OPENING.match(text, position):
            yield _bracket("(", opening[0], position)
            position, depth = opening.end(), depth + 1
        elif depth and text[position] == ")":
            yield _bracket(")", ")", position)
            position, depth = position + 1, depth - 1
        else:
            reader = _Reader(text, position, depth)
            yield reader.word()
            position = reader.position


def _bracket(operator: Literal["(", ")"], source: str, position: int) -> Word:
    return Word(source, position + 1, source[0] == "-", "", operator, "", position + 1)


def quoted(text: str) -> str:
    """Quote ``text`` where needed, on one line, so that a filter searches for exactly this text."""
    if text and text[0] != "-" and text not in (OR, AND) and _is_plain(text) and not looks_foreign(text):
        return text
    return '"' + visible(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _is_plain(text: str) -> bool:
    is_expression = "/" in (text[0], text[-1]) and not EXPRESSION_SIGNS.isdisjoint(text)
    if is_expression or text[-1] == "!" or not is_visible(text):
        return False
    return not any(character in _NEEDS_QUOTES or character.isspace() for character in text)


class _Reader:
    """Reads one word of ``text``, from ``position`` on, within ``depth`` groups."""

    def __init__(self, text: str, position: int, depth: int) -> None:
        self.position = position
        self._text = text
        self._depth = depth
        self._start = position
        self._read: list[str] = []
        self._has_quotes = False
        self._key_has_quotes = False
        self._is_text = False  # a character without quotes before which no comparison is read
        self._open = 0
        self._key = ""
        self._operator: Operator = ""
        self._value_start = position

    def word(self) -> Word:
        negated = self._text[self.position] == "-"
        if negated:
            self.position += 1
            self._value_start = self.position
        if not self._take_expression("/"):
            while self.position < len(self._text) and not self._is_end(self._text[self.position]):
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
            is_quoted=self._key_has_quotes,
        )

    def _is_end(self, character: str) -> bool:
        return character.isspace() or (character == ")" and self._depth > 0 and not self._open)

    def _step(self, character: str) -> None:
        self.position += 1
        if character == '"':
            self._has_quotes = True
            self._quoted(self.position)
        elif not self._operator and (operator := self._operator_at(character)):
            self._take_key(operator)
        else:
            self._open += {"(": 1, ")": -1}.get(character, 0)
            self._is_text = self._is_text or character in ":<>"
            self._read.append(character)

    def _operator_at(self, character: str) -> Operator:
        match character:
            case ":":
                return ":" if self._is_name_of_colon() else ""
            case "<" | ">" | "!":
                return self._comparator(character)
            case "=" | "~":
                return character
        return ""

    def _is_name_of_colon(self) -> bool:
        """Tell whether a colon follows a name: 10:42 is text, kind:json, data.n:1..2 and item_count:1..2 are terms."""
        if self._is_text:
            return False
        name = "".join(self._read)
        if (
            not self._has_quotes
            and name
            and (all(map(_is_letter, name)) or (name.startswith("data.") and "!" not in name))
        ):
            return True
        is_name = self._has_quotes or _NAME_OF_RANGE.fullmatch(name) is not None
        return is_name and _RANGE.match(self._text, self.position) is not None

    def _comparator(self, character: str) -> Operator:
        if self._is_text or not (self._read or self._has_quotes):
            return ""
        two = _COMPARATORS.get(character + self._text[self.position : self.position + 1])
        if two and len(two) == 2:
            self.position += 1
            return two
        return _COMPARATORS.get(character, "")

    def _take_key(self, operator: Operator) -> None:
        if not self._read and not self._has_quotes:
            raise QueryError(self.position, f"a name is missing before {operator}; in quotes it is text.")
        self._key = "".join(self._read)
        self._key_has_quotes = self._has_quotes
        self._read = []
        self._has_quotes = False
        self._operator = operator
        self._value_start = self.position
        if operator == "=" and self._text.startswith("~", self.position):
            self.position += 1
            if not self._take_expression("=~"):
                self.position -= 1

    def _take_expression(self, operator: Literal["/", "=~"]) -> bool:
        """Read an expression between slashes, which may hold white space; return whether one is here."""
        match = _EXPRESSION.match(self._text, self.position)
        if not match or (match[2] and not self._depth):
            return False
        if operator == "/" and EXPRESSION_SIGNS.isdisjoint(match[1]):
            return False
        self._operator, self._read = operator, [match[1]]
        self._value_start, self.position = match.start(1), match.end()
        return True

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
