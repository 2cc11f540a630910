"""The filter of a subscription, compiled to a function of a message's attributes. Pure.

The grammar is that of cloud.google.com/pubsub/docs/subscription-message-filter#filtering_syntax::

    filter     = term {("AND" | "OR") term}          one of the two; brackets mix them
    term       = ["NOT" | "-"] ("(" filter ")" | comparison)
    comparison = "attributes:" key | "attributes." key ("=" | "!=") string
               | "hasPrefix(attributes." key "," string ")"
"""

import json
import re
from collections.abc import Callable, Mapping

from infra.local.pubsub.validation import invalid

MAX_FILTER_BYTES = 256
Passes = Callable[[Mapping[str, str]], bool]
_SPACE = re.compile(r"\s*")
_KEY = re.compile(r'[A-Za-z0-9_][A-Za-z0-9_-]*|"(?:[^"\\]|\\.)*"')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def passes_all(_: Mapping[str, str]) -> bool:
    """Pass every message: a subscription without a filter."""
    return True


def compile_filter(text: str) -> Passes:
    """Return whether attributes pass, as a function. Raises INVALID_ARGUMENT with the position of the error."""
    if not text:
        return passes_all
    if len(text.encode()) > MAX_FILTER_BYTES:
        raise invalid(f"Invalid filter: {len(text.encode())} bytes; the service takes {MAX_FILTER_BYTES}.")
    return _Reader(text).whole()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Passes:
        found = self._filter()
        self._skip()
        if self._at < len(self._text):
            raise self._error("AND, OR or the end")
        return found

    def _filter(self) -> Passes:
        terms = [self._term()]
        joints = set()
        while joint := self._try("AND") or self._try("OR"):
            joints.add(joint)
            terms.append(self._term())
        if len(joints) > 1:
            raise self._error("brackets around a mix of AND and OR")
        if joints == {"OR"}:
            return lambda attributes: any(term(attributes) for term in terms)
        return lambda attributes: all(term(attributes) for term in terms)

    def _term(self) -> Passes:
        if self._try("NOT") or self._try("-"):
            negated = self._term()
            return lambda attributes: not negated(attributes)
        if self._try("("):
            found = self._filter()
            self._want(")")
            return found
        return self._comparison()

    def _comparison(self) -> Passes:
        if self._try("hasPrefix"):
            self._want("(")
            self._want("attributes")
            self._want(".")
            key = self._key()
            self._want(",")
            prefix = self._string()
            self._want(")")
            return lambda attributes: attributes.get(key, None) is not None and attributes[key].startswith(prefix)
        self._want("attributes")
        if self._try(":"):
            present = self._key()
            return lambda attributes: present in attributes
        self._want(".")
        name = self._key()
        if self._try("!="):
            unwanted = self._string()
            # The service's answer for a message without the attribute is not documented.
            return lambda attributes: name in attributes and attributes[name] != unwanted
        self._want("=")
        wanted = self._string()
        return lambda attributes: attributes.get(name) == wanted

    def _key(self) -> str:
        found = self._match(_KEY, "the name of an attribute")
        return self._decoded(found) if found.startswith('"') else found

    def _string(self) -> str:
        return self._decoded(self._match(_STRING, "a text in quotation marks"))

    def _decoded(self, literal: str) -> str:
        try:
            return str(json.loads(literal))
        except ValueError as exc:
            raise self._error("an escape that the local cloud knows (those of JSON)") from exc

    def _match(self, pattern: re.Pattern[str], wanted: str) -> str:
        self._skip()
        match = pattern.match(self._text, self._at)
        if match is None:
            raise self._error(wanted)
        self._at = match.end()
        return match[0]

    def _try(self, token: str) -> str:
        self._skip()
        if not self._text.startswith(token, self._at):
            return ""
        self._at += len(token)
        return token

    def _want(self, token: str) -> None:
        if not self._try(token):
            raise self._error(repr(token))

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _error(self, wanted: str) -> Exception:
        return invalid(f"Invalid filter at character {self._at + 1}: wanted {wanted}.")
