"""The fields of a message that the page counts, as one attribute of its row in the list. Pure.

The page's script counts them (static/js/core/facets.js). One line for each field: name, value and, where it is not
plain, the term of the filter, with tabs between them. Names and values without control characters only.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice

from infra.messages.masking import HIDDEN
from infra.messages.message import Message
from infra.messages.severity import severity_of
from infra.messages.visible_text import is_visible
from web.facets.terms import DERIVED, KIND, SEVERITY, SUBSCRIPTION, term_of

# Longer names and values are texts or identifiers.
MAX_CHARACTERS = 60
_MAX_FIELDS = 25
# Lines of values that repeat are made once.
_MAX_CACHED = 8_192


def facets_of(message: Message) -> str:
    """Return the lines of a message that has passed the reader's mask."""
    # A colon begins the name of what is derived.
    attributes = (pair for pair in message.attributes.items() if not pair[0].startswith(":"))
    pairs = chain(_derived(message), attributes, _members(message))
    return "\n".join(islice(filter(None, (_line(name, value) for name, value in pairs)), _MAX_FIELDS))


def _derived(message: Message) -> Iterator[tuple[str, str]]:
    if severity := severity_of(message):
        yield SEVERITY, severity
    yield KIND, message.kind
    yield SUBSCRIPTION, message.subscription


def _members(message: Message) -> Iterator[tuple[str, str]]:
    """Yield the indexed top-level members of a JSON object."""
    for token in message.tokens:
        name, _, value = token.partition("=")
        # A second = may belong to the name or to the value.
        if token.startswith("data.") and "=" not in value and name not in message.attributes:
            yield name, value


@lru_cache(_MAX_CACHED)
def _line(name: str, value: str) -> str:
    """Return the line of one field; empty when it is no facet."""
    if not 0 < len(value) <= MAX_CHARACTERS or not 0 < len(name) <= MAX_CHARACTERS or value == HIDDEN:
        return ""
    if not is_visible(name) or not is_visible(value):
        return ""
    term, usual = term_of(name, value), DERIVED.get(name, f"{name}=") + value
    return f"{name}\t{value}" if term == usual else f"{name}\t{value}\t{term}"
