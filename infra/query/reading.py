"""One message while a filter looks at it: everything that several terms read is made once for all of them. Pure.

So thirty terms cost little more than one, and a message costs at most one pass over its payload for each path with
``*``, of which a filter has few.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from infra.messages.folding import composed, contains
from infra.messages.message import Message
from infra.query.expressions import Expression
from infra.query.json_escapes import without_escapes
from infra.query.json_paths import leads_anywhere, path_exists, texts_at
from infra.query.ordered.spans import Order, Span, read_as

# Joins texts for one search. A hit may span two texts if it holds this character, so it is looked at again.
_BETWEEN = "\0"


class Reading:
    """One message. ``walks`` counts the passes over its payload for paths with ``*``."""

    # Plain attributes: the lock of a cached_property costs as much as matching a small message.
    __slots__ = ("_escaped", "_existing", "_meant", "_ordered", "_texts", "_values", "message", "walks")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.walks = 0
        self._texts: _Texts | None = None
        self._meant: _Texts | None = None
        self._escaped = ""  # the payload, if it may have JSON escapes
        self._values: dict[str, _Texts] | None = None
        self._existing: dict[str, bool] | None = None
        self._ordered: dict[tuple[Order, str], Decimal | None] | None = None

    def contains_text(self, folded: str) -> bool:
        """Tell whether one of the texts that a text term searches contains ``folded``, case ignored."""
        return any(texts.contain(folded) for texts in self._searched())

    def contains_expression(self, expression: Expression) -> bool:
        """Tell whether one of the texts that a text term searches contains a match."""
        return any(texts.contain_expression(expression) for texts in self._searched())

    def _searched(self) -> Iterator["_Texts"]:
        """Yield the texts as they were sent, then the payload with its JSON escapes resolved."""
        if self._texts is None:
            self._texts = _Texts(self._sent())
        yield self._texts
        if not self._escaped:
            return
        if self._meant is None:
            self._meant = _Texts([without_escapes(self._escaped)])
        yield self._meant

    def _sent(self) -> list[str]:
        message = self.message
        payload = message.preview if message.data is None else message.data.decode(errors="replace")
        self._escaped = payload if "\\" in payload else ""
        return [message.message_id, message.ordering_key, *message.attributes, *message.attributes.values(), payload]

    def field_equals(self, data: bytes, path: str, value: str) -> bool:
        """Tell whether a scalar at ``path`` is ``value``."""
        if leads_anywhere(path):
            return value in self._values_at(data, path).distinct
        return value in texts_at(data, path)

    def field_contains(self, data: bytes, path: str, folded: str) -> bool:
        """Tell whether a scalar at ``path`` contains ``folded``, case ignored; any node is enough for an empty one."""
        if not folded:
            return self._exists(data, path)
        if leads_anywhere(path):
            return self._values_at(data, path).contain(folded)
        return any(contains(text, folded) for text in texts_at(data, path))

    def field_contains_expression(self, data: bytes, path: str, expression: Expression) -> bool:
        """Tell whether a scalar at ``path`` contains a match."""
        if leads_anywhere(path):
            return self._values_at(data, path).contain_expression(expression)
        return any(map(expression.finds, texts_at(data, path)))

    def field_within(self, data: bytes, path: str, order: Order, span: Span) -> bool:
        """Tell whether a scalar at ``path`` is a number, or a time, within ``span``."""
        if leads_anywhere(path):
            return span.holds_any(self._values_at(data, path).sorted(order, self._read_once))
        values = (read_as(order, text) for text in texts_at(data, path))
        return any(span.holds(value) for value in values if value is not None)

    def _read_once(self, order: Order, text: str) -> Decimal | None:
        """Read a text as a number or a time; several paths lead to the same thousands of values."""
        self._ordered = {} if self._ordered is None else self._ordered
        place = (order, text)
        if place not in self._ordered:
            self._ordered[place] = read_as(order, text)
        return self._ordered[place]

    def _exists(self, data: bytes, path: str) -> bool:
        if not leads_anywhere(path):
            return path_exists(data, path)
        self._existing = self._existing or {}
        if path not in self._existing:
            self.walks += 1
            self._existing[path] = path_exists(data, path)
        return self._existing[path]

    def _values_at(self, data: bytes, path: str) -> "_Texts":
        self._values = self._values or {}
        if path not in self._values:
            self.walks += 1
            self._values[path] = _Texts(list(texts_at(data, path)))
        return self._values[path]


class _Texts:
    """Texts of a message, perhaps thousands: searched at the speed of a set and of one text."""

    __slots__ = ("_composed", "_distinct", "_encoded", "_folded", "_sorted", "_texts")

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self._folded: str | None = None
        self._composed: str | None = None
        self._distinct: frozenset[str] | None = None
        self._encoded: list[bytes] | None = None
        self._sorted: dict[Order, list[Decimal]] = {}

    @property
    def distinct(self) -> frozenset[str]:
        """The texts, each once."""
        if self._distinct is None:
            self._distinct = frozenset(self._texts)
        return self._distinct

    def contain_expression(self, expression: Expression) -> bool:
        """Tell whether one of the texts contains a match."""
        if self._encoded is None:
            self._encoded = [text.encode(errors="replace") for text in self.distinct]
        return any(map(expression.finds_in, self._encoded))

    def sorted(self, order: Order, read: Callable[[Order, str], Decimal | None]) -> list[Decimal]:
        """The texts that are numbers, or times, ascending."""
        if order not in self._sorted:
            values = (read(order, text) for text in self.distinct)
            self._sorted[order] = sorted(value for value in values if value is not None)
        return self._sorted[order]

    def contain(self, folded: str) -> bool:
        """Tell whether one of the texts contains ``folded``, case ignored."""
        if self._folded is None:
            self._folded = _BETWEEN.join(self._texts).casefold()
        if folded not in self._folded and (folded.isascii() or folded not in self._in_composed_letters()):
            return False
        return _BETWEEN not in folded or any(contains(text, folded) for text in self._texts)

    def _in_composed_letters(self) -> str:
        if self._composed is None:
            self._composed = composed(_BETWEEN.join(self._texts)).casefold()
        return self._composed
