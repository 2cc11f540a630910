"""The arguments of a list of messages, as an address or a saved filter has them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListArguments:
    """The filter as typed, one subscription (empty: all), and the names of the columns."""

    query: str = ""
    subscription: str = ""
    columns: tuple[str, ...] = ()
