"""The filter language of the page, the stream and ``subscope tail``: parse text into a ``Query``. Pure.

All terms must hold; ``OR`` joins its two neighbours into one term. ``Query.matches`` decides about a message.
Firestore narrows its queries by ``tokens``, ``subscription``, ``id``, ``after`` and ``before``; these never exclude a
message that matches. docs/filter-language.md has the table of terms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import get_args

from infra.messages.message import Kind, Message
from infra.query import content_terms, terms
from infra.query.derived_terms import SeverityIs, TraceIs, derived_term
from infra.query.foreign import foreign_at, lone_word
from infra.query.json_paths import leads_anywhere
from infra.query.literals import size_bytes
from infra.query.moments import is_clock, moment
from infra.query.reading import Reading
from infra.query.terms import Quality, Term
from infra.query.tokenizer import OR, QueryError, Word, quoted, words

__all__ = ["MAX_CHARACTERS", "MAX_TERMS", "MAX_WILDCARD_PATHS", "PREFIXES", "Query", "QueryError", "parse", "quoted"]

MAX_CHARACTERS = 2_000
MAX_TERMS = 30
# Each such path costs one pass over the payload of each message.
MAX_WILDCARD_PATHS = 5
# Each token is a separate Firestore query, and each may read as many messages as a single one.
MAX_TOKENS = 5
_TIMES = (terms.After, terms.Before)
_TIME_NAMES = ("after", "before")
_TIME_WITH_SPACE = 'a time with a space is written in quotes: after:"2026-11-23 10:00".'
_OR_ALONE = "OR stands between two terms; in quotes it is text."
_WILDCARDS = f"a filter has at most {MAX_WILDCARD_PATHS} different paths with *; the same path counts once."
_BRACKETS = "brackets do not group: OR joins its two neighbours, then all terms must hold; in quotes they are text."


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

    @property
    def tokens(self) -> tuple[str, ...]:
        """Index tokens, of which every matching message has at least one; empty if the index cannot help."""
        offered = [tokens for term in self.terms if (tokens := _tokens(term))]
        return min(offered, key=len, default=())

    @property
    def subscription(self) -> str:
        """The subscription id that the filter requires; empty for any."""
        return next((term.subscription for term in self.terms if isinstance(term, terms.SubscriptionIs)), "")

    @property
    def id(self) -> str:
        """The required id: Pub/Sub's message id, or the id in the message's address; empty for any."""
        return next((term.id for term in self.terms if isinstance(term, terms.IdIs)), "")

    @property
    def after(self) -> datetime | None:
        """The earliest ``received_at`` that matches, aware UTC; None for no limit."""
        return max((term.at for term in self.terms if isinstance(term, terms.After)), default=None)

    @property
    def before(self) -> datetime | None:
        """The first ``received_at`` that no longer matches, aware UTC; None for no limit."""
        return min((term.at for term in self.terms if isinstance(term, terms.Before)), default=None)

    @property
    def reads_payloads(self) -> bool:
        """Tell whether payloads are searched (of one over 16 KiB only the preview and the tokens)."""
        return any(term.cost == 2 for term in self.terms)

    @property
    def timeless(self) -> str:
        """The source text without its time terms."""
        pairs = zip(self.terms, self.sources, strict=True)
        return " ".join(source for term, source in pairs if not isinstance(term, _TIMES))


def parse(text: str, now: datetime) -> Query:
    """Parse ``text`` into a query; ``10m`` counts back from ``now`` (aware). Raises QueryError (400)."""
    if len(text) > MAX_CHARACTERS:
        raise QueryError(MAX_CHARACTERS + 1, f"a filter has at most {MAX_CHARACTERS:,} characters.")
    alternatives: list[tuple[Term, ...]] = []
    sources: list[str] = []
    wildcard_paths: set[str] = set()
    joins_at = 0
    before: Word | None = None
    for count, word in enumerate(words(text)):
        if count == MAX_TERMS:
            raise QueryError(word.column, f"a filter has at most {MAX_TERMS} terms.")
        if before:
            _check_neighbours(before, word)
        before = word
        if leads_anywhere(content_terms.field_of(word.key)):
            wildcard_paths.add(word.key)
        if len(wildcard_paths) > MAX_WILDCARD_PATHS:
            raise QueryError(word.column, _WILDCARDS)
        if word.source == OR:
            if joins_at or not alternatives:
                raise QueryError(word.column, _OR_ALONE)
            joins_at = word.column
        elif joins_at:
            alternatives[-1] = (*alternatives[-1], _signed_term(word, now))
            sources[-1] = f"{sources[-1]} {OR} {word.source}"
            joins_at = 0
        else:
            alternatives.append((_signed_term(word, now),))
            sources.append(word.source)
    if joins_at:
        raise QueryError(joins_at, _OR_ALONE)
    return Query(tuple(some[0] if len(some) == 1 else terms.AnyOf(some) for some in alternatives), tuple(sources))


def _check_neighbours(before: Word, word: Word) -> None:
    """Refuse two words that are meant as one, or as an operator and its term. Raises QueryError."""
    if before.operator == ":" and before.key.lower() in _TIME_NAMES and is_clock(word.source):
        raise QueryError(word.column, _TIME_WITH_SPACE)
    if before.source.lower() == "not" and (sentence := lone_word(before.source)):
        raise QueryError(before.column, sentence)
    if sentence := lone_word(word.source):
        raise QueryError(word.column, sentence)


def _tokens(term: Term) -> tuple[str, ...]:
    """Index tokens of which every message that meets ``term`` has one; empty when the index cannot tell."""
    match term:
        case content_terms.Equals(token=token) if token:
            return (token,)
        case SeverityIs(tokens=tokens) | TraceIs(tokens=tokens):
            return tokens
        case terms.AnyOf(terms=several) if len(several) <= MAX_TOKENS:
            offered = [_tokens(alternative) for alternative in several]
            return tuple(dict.fromkeys(token for tokens in offered for token in tokens)) if all(offered) else ()
        case _:
            return ()


def _signed_term(word: Word, now: datetime) -> Term:
    if foreign := foreign_at(word.source):
        offset, sentence = foreign
        raise QueryError(word.column + offset, sentence)
    if word.source.lstrip("-").startswith("("):
        column = word.column + word.source.index("(")
        raise QueryError(column, _BRACKETS)
    term = _term(word, now)
    return terms.opposite(term) if word.negated else term


def _term(word: Word, now: datetime) -> Term:
    match word.operator:
        case "=":
            return derived_term(word.key, word.value) or content_terms.Equals(word.key, word.value)
        case "~":
            return content_terms.Contains(word.key, word.value)
        case ":":
            return _prefixed(word, now)
        case _:
            return _text(word)


def _text(word: Word) -> Term:
    if not word.value:
        raise QueryError(word.value_column, "there is nothing between the quotes.")
    return content_terms.Text(word.value)


def _prefixed(word: Word, now: datetime) -> Term:
    make = PREFIXES.get(word.key.lower())
    if make is None:
        known = ", ".join(f"{name}:" for name in PREFIXES)
        column = word.column + word.negated
        raise QueryError(column, f"{word.key[:40]}: is not known; known are {known}. In quotes it is text.")
    if not word.value:
        raise QueryError(word.value_column, f"something is missing after {word.key}:")
    try:
        return make(word.value, now)
    except ValueError as exc:
        raise QueryError(word.value_column, f"{exc}; found {word.value[:40]!r}.") from exc


def _kind(value: str, _: datetime) -> Term:
    kind = next((known for known in get_args(Kind) if known == value.lower()), None)
    if kind is None:
        raise ValueError(f"a kind is one of {', '.join(get_args(Kind))}")
    return terms.KindIs(kind)


def _has(value: str, _: datetime) -> Term:
    quality = next((known for known in get_args(Quality) if known == value.lower()), None)
    if quality is None:
        raise ValueError(f"has: asks for one of {', '.join(get_args(Quality))}")
    return terms.Has(quality)


PREFIXES: dict[str, Callable[[str, datetime], Term]] = {
    "after": lambda value, now: terms.After(moment(value, now)),
    "before": lambda value, now: terms.Before(moment(value, now)),
    "has": _has,
    "id": lambda value, _: terms.IdIs(value),
    "key": lambda value, _: terms.OrderingKeyIs(value),
    "kind": _kind,
    "larger": lambda value, _: terms.Larger(size_bytes(value)),
    "smaller": lambda value, _: terms.Smaller(size_bytes(value)),
    "subscription": lambda value, _: terms.SubscriptionIs(value),
}
