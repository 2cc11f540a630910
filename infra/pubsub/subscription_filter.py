"""Pub/Sub's own filter of a subscription: which attributes a message needs so that it passes. Pure.

The language (cloud.google.com/pubsub/docs/subscription-message-filter) compares attributes only: ``attributes:KEY``,
``attributes.KEY = "VALUE"``, ``!=``, ``hasPrefix(attributes.KEY, "VALUE")``, joined by AND, OR, NOT and brackets.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

# Pub/Sub's limit: a longer text is no filter. It also bounds the alternatives, to some hundreds.
_MAX_BYTES = 256
_ANY_VALUE = "test"
_TOKEN = re.compile(r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z0-9_][A-Za-z0-9_-]*)|(?P<sign>!=|[-=:().,]))')
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class _UnreadableError(Exception):
    """The text is not in the language, or uses a part of it that is not known here."""


@dataclass(frozen=True, slots=True)
class _Test:
    """A comparison of one attribute; ``kind`` is has, equals or prefix."""

    kind: str
    key: str
    value: str = ""
    is_negated: bool = False

    def accepts(self, value: str | None) -> bool:
        """Whether an attribute passes, None if it is absent."""
        found = value is not None and (
            self.kind == "has" or (value == self.value if self.kind == "equals" else value.startswith(self.value))
        )
        return found != self.is_negated


# Each alternative is a list of comparisons that must all pass.
_Alternatives = list[tuple[_Test, ...]]


def attributes_that_pass(subscription_filter: str, wanted: Mapping[str, str]) -> dict[str, str] | None:
    """Return attributes that pass a filter: those of ``wanted`` as far as they pass, and those that it requires.

    Returns None if there are none, or if the filter cannot be read. An empty filter passes everything.
    """
    if not subscription_filter.strip():
        return dict(wanted)
    try:
        alternatives = _Parser(subscription_filter).read()
    except _UnreadableError:
        return None
    solved = (_solved(tests, wanted) for tests in alternatives)
    return next((attributes for attributes in solved if attributes is not None), None)


def _solved(tests: tuple[_Test, ...], wanted: Mapping[str, str]) -> dict[str, str] | None:
    by_key: defaultdict[str, list[_Test]] = defaultdict(list)
    for test in tests:
        by_key[test.key].append(test)
    attributes = dict(wanted)
    for key, own in by_key.items():
        accepted = [value for value in _values(own, wanted.get(key)) if all(test.accepts(value) for test in own)]
        # Pub/Sub refuses these names from a publisher.
        if not accepted or (key.startswith("goog") and accepted[0] is not None):
            return None
        attributes.pop(key, None)
        if accepted[0] is not None:
            attributes[key] = accepted[0]
    return attributes


def _values(tests: list[_Test], wanted: str | None) -> Iterator[str | None]:
    """Yield the values to try, the plainest first."""
    yield wanted
    texts = [test.value for test in tests if test.kind != "has" and not test.is_negated]
    for value in (*texts, *(f"{text}{_ANY_VALUE}" for text in texts), _ANY_VALUE, f"not {_ANY_VALUE}"):
        if value:
            yield value
    yield None


class _Parser:
    """Reads one filter into alternatives."""

    def __init__(self, text: str) -> None:
        if len(text.encode(errors="replace")) > _MAX_BYTES:
            raise _UnreadableError
        self._tokens = list(_tokens(text))
        self._next = 0

    def read(self) -> _Alternatives:
        alternatives = self._expression(is_negated=False)
        if self._next < len(self._tokens):
            raise _UnreadableError
        return alternatives

    def _expression(self, *, is_negated: bool) -> _Alternatives:
        found = self._term(is_negated=is_negated)
        joint = self._peek()
        while joint in ("AND", "OR") and self._accept(joint):
            other = self._term(is_negated=is_negated)
            # De Morgan: NOT swaps AND and OR.
            found = _both(found, other) if (joint == "AND") != is_negated else [*found, *other]
            if self._peek() in ("AND", "OR") and self._peek() != joint:
                raise _UnreadableError  # Pub/Sub requires brackets around a mix
        return found

    def _term(self, *, is_negated: bool) -> _Alternatives:
        if self._accept("NOT") or self._accept("-"):
            return self._term(is_negated=not is_negated)
        if self._accept("("):
            found = self._expression(is_negated=is_negated)
            self._expect(")")
            return found
        test = self._has_prefix() if self._accept("hasPrefix") else self._comparison()
        # ``!=`` also requires the attribute here: whether Pub/Sub passes a message without it is not documented.
        if test.kind == "differs":
            has, equals = _Test("has", test.key), replace(test, kind="equals")
            return [(equals,)] if is_negated else [(has, replace(equals, is_negated=True))]
        return [(replace(test, is_negated=is_negated),)]

    def _has_prefix(self) -> _Test:
        self._expect("(")
        self._expect("attributes")
        self._expect(".")
        key = self._name()
        self._expect(",")
        value = self._text()
        self._expect(")")
        return _Test("prefix", key, value)

    def _comparison(self) -> _Test:
        self._expect("attributes")
        if self._accept(":"):
            return _Test("has", self._name())
        self._expect(".")
        key = self._name()
        if self._accept("!="):
            return _Test("differs", key, self._text())
        self._expect("=")
        return _Test("equals", key, self._text())

    def _name(self) -> str:
        token = self._take()
        return _unescaped(token) if token.startswith('"') else token

    def _text(self) -> str:
        token = self._take()
        if not token.startswith('"'):
            raise _UnreadableError
        return _unescaped(token)

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        if not token:
            raise _UnreadableError
        self._next += 1
        return token

    def _accept(self, token: str) -> bool:
        is_next = self._peek() == token
        self._next += is_next
        return is_next

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            raise _UnreadableError


def _both(left: _Alternatives, right: _Alternatives) -> _Alternatives:
    return [(*one, *other) for one, other in product(left, right)]


def _tokens(text: str) -> Iterator[str]:
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _UnreadableError
        yield match.group("text") or match.group("word") or match.group("sign")
        position = match.end()


def _unescaped(literal: str) -> str:
    """Return the meaning of a string in quotation marks."""

    def meaning(match: re.Match[str]) -> str:
        *numbers, octal, letter = match.groups()
        try:
            if digits := next(filter(None, numbers), ""):
                return chr(int(digits, 16))
            return chr(int(octal, 8)) if octal else _ESCAPED.get(letter, letter)
        except (ValueError, OverflowError) as exc:
            raise _UnreadableError from exc

    return _ESCAPE.sub(meaning, literal[1:-1])
