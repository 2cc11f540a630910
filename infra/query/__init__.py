"""The filter language of the page, the stream and ``subscope tail``: parse text into a ``Query``. Pure.

All terms must hold; ``OR`` joins its two neighbours into one term, and brackets make one term of several. The terms
are one tree: ``Query.matches`` decides about a message, and ``narrowing`` says what Firestore's indexes answer, which
never excludes a message that matches. docs/filter-language.md has the table of terms.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from infra.messages.message import Message
from infra.query import terms
from infra.query.narrowing import Narrowing, narrowing, of_all
from infra.query.reading import Reading
from infra.query.syntax.parser import MAX_CHARACTERS, MAX_TERMS, MAX_WILDCARD_PATHS, parse_items
from infra.query.syntax.prefixes import PREFIXES
from infra.query.syntax.tokenizer import QueryError, quoted
from infra.query.terms import Term

__all__ = ["MAX_CHARACTERS", "MAX_TERMS", "MAX_WILDCARD_PATHS", "PREFIXES", "Query", "QueryError", "parse", "quoted"]

_TIMES = (terms.After, terms.Before)


@dataclass(frozen=True)
class Query:
    """A parsed filter: its terms, and the source text of each. Without terms it matches every message."""

    terms: tuple[Term, ...] = ()
    sources: tuple[str, ...] = ()

    @cached_property
    def _by_cost(self) -> list[Term]:
        return sorted(self.terms, key=lambda term: term.cost)

    def matches(self, message: Message) -> bool:
        """Tell whether a message meets all terms."""
        if not self.terms:
            return True
        reading = Reading(message)
        return all(term.matches(reading) for term in self._by_cost)

    @cached_property
    def _narrowing(self) -> Narrowing:
        return of_all(map(narrowing, self.terms))

    @property
    def tokens(self) -> tuple[str, ...]:
        """Index tokens, of which every matching message has at least one; empty if the index cannot help."""
        return self._narrowing.tokens

    @property
    def subscription(self) -> str:
        """The subscription id that the filter requires; empty for any."""
        return self._narrowing.subscription

    @property
    def id(self) -> str:
        """The required id: Pub/Sub's message id, or the id in the message's address; empty for any."""
        return next((term.id for term in self.terms if isinstance(term, terms.IdIs)), "")

    @property
    def after(self) -> datetime | None:
        """The earliest ``received_at`` that matches, aware UTC; None for no limit."""
        return self._narrowing.after

    @property
    def before(self) -> datetime | None:
        """The first ``received_at`` that no longer matches, aware UTC; None for no limit."""
        return self._narrowing.before

    @property
    def reads_payloads(self) -> bool:
        """Tell whether payloads are searched (of one over 16 KiB only the preview and the tokens)."""
        return any(term.cost == 2 for term in self.terms)

    @property
    def counts_deliveries(self) -> bool:
        """Tell whether a redelivery may end a match: the filter compares the number of deliveries, or the attempt."""
        leaves = (leaf for term in self.terms for leaf in terms.leaves_of(term))
        return any(isinstance(leaf, terms.Measured) and leaf.name in ("deliveries", "attempt") for leaf in leaves)

    @property
    def timeless(self) -> str:
        """The source text without its time terms."""
        pairs = zip(self.terms, self.sources, strict=True)
        return " ".join(source for term, source in pairs if not isinstance(term, _TIMES))


def parse(text: str, now: datetime) -> Query:
    """Parse ``text`` into a query; ``10m`` counts back from ``now`` (aware). Raises QueryError (400)."""
    items = parse_items(text, now)
    return Query(tuple(item.term for item in items), tuple(item.source for item in items))
