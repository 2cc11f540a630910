"""A span of ordered values: everything above, below or between limits. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from infra.query.ordered.instants import instant
from infra.query.ordered.numbers import number

Comparator = Literal[">", ">=", "<", "<="]
COMPARATORS: tuple[str, ...] = get_args(Comparator)
# How a span reads texts: the form of its limits decides.
Order = Literal["number", "time"]
_READ: dict[Order, Callable[[str], Decimal | None]] = {"number": number, "time": instant}


@dataclass(frozen=True, slots=True)
class Span:
    """The values from ``low`` to ``high``, both included unless they are open. None is no limit."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_is_open: bool = False
    high_is_open: bool = False

    def holds(self, value: Decimal) -> bool:
        """Tell whether ``value`` is within the limits."""
        if self.low is not None and (value < self.low or (self.low_is_open and value == self.low)):
            return False
        return self.high is None or value < self.high or (not self.high_is_open and value == self.high)

    def holds_any(self, ascending: Sequence[Decimal]) -> bool:
        """Tell whether one of sorted values is within the limits."""
        place = 0
        if self.low is not None:
            place = (bisect_right if self.low_is_open else bisect_left)(ascending, self.low)
        return place < len(ascending) and self.holds(ascending[place])


def compared(operator: str, limit: Decimal) -> Span:
    """Return the span of ``operator limit``, for one of ``COMPARATORS``."""
    is_open = "=" not in operator
    return Span(low=limit, low_is_open=is_open) if ">" in operator else Span(high=limit, high_is_open=is_open)


def read_as(order: Order, text: str) -> Decimal | None:
    """Read ``text`` as a number or a time; None when it is neither."""
    return _READ[order](text)
