"""The terms on what Subscope derives from a message and indexes: its severity and its trace. Pure.

An attribute of the same name with exactly the typed value is found as well, as by any other ``name=value``.
"""

from dataclasses import dataclass
from typing import ClassVar

from infra.messages import severity, trace
from infra.messages.message import fits_index
from infra.messages.severity import Severity, level_of, severity_of
from infra.messages.trace import is_trace, trace_in
from infra.query.reading import Reading


@dataclass(frozen=True, slots=True)
class SeverityIs:
    """The message has the severity ``level``; ``typed`` is how the filter names it."""

    level: Severity
    typed: str
    cost: ClassVar[int] = 1

    @property
    def tokens(self) -> tuple[str, ...]:
        """Index tokens of which each such message has one, unless an earlier version stored it."""
        return _tokens("severity", self.typed, severity.token_of(self.level))

    def matches(self, reading: Reading) -> bool:
        message = reading.message
        return severity_of(message) == self.level or message.attributes.get("severity") == self.typed


@dataclass(frozen=True, slots=True)
class TraceIs:
    """The message belongs to ``trace``; ``typed`` is how the filter names it."""

    trace: str
    typed: str
    cost: ClassVar[int] = 1

    @property
    def tokens(self) -> tuple[str, ...]:
        """Index tokens of which each such message has one, unless an earlier version stored it."""
        return _tokens("trace", self.typed, trace.token_of(self.trace))

    def matches(self, reading: Reading) -> bool:
        attributes = reading.message.attributes
        return trace_in(attributes) == self.trace or attributes.get("trace") == self.typed


def derived_term(key: str, value: str) -> SeverityIs | TraceIs | None:
    """Return the term of ``key=value`` if it asks for a severity or a trace, in any case; None for any other field."""
    if key == "severity" and (level := level_of(value)):
        return SeverityIs(level, value)
    if key == "trace" and is_trace(value.lower()):
        return TraceIs(value.lower(), value)
    return None


def _tokens(key: str, typed: str, derived: tuple[str, ...]) -> tuple[str, ...]:
    attribute = f"{key}={typed}"
    return tuple(dict.fromkeys((*derived, attribute))) if fits_index(attribute) else derived
