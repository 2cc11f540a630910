"""The layers of a stacked timeline: severities, or up to five values of a field. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from infra.messages.message import Message
from infra.messages.severity import LEVELS
from web.facets.groups import value_of
from web.facets.terms import SEVERITY, term_of

MAX_VALUES = 5
_WARNING = LEVELS.index("WARNING")
_WORSE = LEVELS[_WARNING + 1 :]


@dataclass(frozen=True, slots=True)
class Layer:
    """A part of each bar: the messages with one of ``values`` of a field."""

    label: str
    values: tuple[str, ...]
    # Counted by the index instead of the value; then the layers before this one are contained in the count.
    counted_by: str = ""

    def term(self, name: str) -> str:
        """Return the term of the filter language that counts this layer."""
        return self.counted_by or term_of(name, self.values[0])


def layers_of(name: str, values: Sequence[str]) -> tuple[Layer, ...]:
    """Return the layers of a field, at most five; of the severity always warnings, and all that is worse."""
    if name == SEVERITY:
        return Layer("ERROR and worse", _WORSE, "severity>=ERROR"), Layer("WARNING", ("WARNING",), "severity>=WARNING")
    return tuple(Layer(value, (value,)) for value in dict.fromkeys(values))[:MAX_VALUES] if name else ()


def layer_of(layers: Iterable[Layer], name: str) -> Callable[[Message], int | None]:
    """Return the function that finds the index of a message's layer; None for none."""
    index = {value: number for number, layer in enumerate(layers) for value in layer.values}
    return lambda message: index.get(value_of(message, name) or "")
