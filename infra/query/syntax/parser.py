"""Parse the words of a filter into a tree of terms: groups in brackets, AND, OR and negation. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from infra.query import content_terms, terms
from infra.query.derived_terms import derived_term
from infra.query.json_paths import leads_anywhere
from infra.query.moments import is_clock
from infra.query.syntax.comparisons import comparison
from infra.query.syntax.expressions import ExpressionReader
from infra.query.syntax.foreign import foreign_at, lone_word
from infra.query.syntax.prefixes import prefixed
from infra.query.syntax.tokenizer import AND, OR, QueryError, Word, words
from infra.query.terms import Term

MAX_CHARACTERS = 2_000
MAX_TERMS = 30
MAX_DEPTH = 10
# Each such path costs one pass over the payload of each message.
MAX_WILDCARD_PATHS = 5
_TIME_NAMES = ("after", "before")
_TIME_WITH_SPACE = 'a time with a space is written in quotes: after:"2026-11-23 10:00".'
_WILDCARDS = f"a filter has at most {MAX_WILDCARD_PATHS} different paths with *; the same path counts once."
_BOTH = "AND and OR beside each other need brackets: a AND (b OR c), or (a AND b) OR c."
_NO_GROUP = "one - before a bracket negates the group; in quotes it is text."


@dataclass(frozen=True, slots=True)
class Item:
    """One term of a level, several if OR joins them, or a group: the source text and the term."""

    source: str
    term: Term


@dataclass(slots=True)
class _Level:
    """The items between two brackets; ``joins`` is the word AND or OR that waits for its second term."""

    opened: Word | None = None
    alternatives: list[list[Term]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    joins: Word | None = None
    operator: str = ""

    def join(self, word: Word) -> None:
        """Take AND or OR. Raises QueryError."""
        if self.joins or not self.alternatives:
            raise QueryError(word.column, _alone(word))
        if self.operator not in ("", word.source):
            raise QueryError(word.column, _BOTH)
        self.joins, self.operator = word, word.source

    def add(self, source: str, term: Term) -> None:
        """Take a term or a group."""
        if self.joins and self.joins.source == OR:
            self.alternatives[-1].append(term)
            self.sources[-1] += f" {OR} {source}"
        else:
            self.alternatives.append([term])
            self.sources.append(source)
        self.joins = None

    def items(self) -> list[Item]:
        """Return the finished items. Raises QueryError for an operator without its second term."""
        if self.joins:
            raise QueryError(self.joins.column, _alone(self.joins))
        several = (some[0] if len(some) == 1 else terms.AnyOf(tuple(some)) for some in self.alternatives)
        return [Item(source, term) for source, term in zip(self.sources, several, strict=True)]


def parse_items(text: str, now: datetime) -> list[Item]:
    """Parse ``text`` into the items that must all hold. Raises QueryError (400)."""
    if len(text) > MAX_CHARACTERS:
        raise QueryError(MAX_CHARACTERS + 1, f"a filter has at most {MAX_CHARACTERS:,} characters.")
    levels, expressions = [_Level()], ExpressionReader()
    for word in _checked(words(text)):
        level = levels[-1]
        if word.operator == "(":
            if len(levels) > MAX_DEPTH:
                raise QueryError(word.column, f"brackets are at most {MAX_DEPTH} deep.")
            levels.append(_Level(word))
        elif word.operator == ")":
            levels.pop()
            levels[-1].add(*_group(text, level, word))
        elif word.source in (AND, OR):
            level.join(word)
        else:
            level.add(word.source, _signed_term(word, now, expressions))
    if opened := levels[-1].opened:
        raise QueryError(opened.end, "this bracket is not closed; in quotes it is text.")
    return levels[0].items()


def _group(text: str, level: _Level, closed: Word) -> tuple[str, Term]:
    """Return the source text and the term of a group."""
    assert level.opened
    several = tuple(item.term for item in level.items())
    if not several:
        raise QueryError(closed.column, "there is nothing between the brackets; in quotes they are text.")
    term = several[0] if len(several) == 1 else terms.AllOf(several)
    source = text[level.opened.column - 1 : closed.end]
    return source, terms.opposite(term) if level.opened.negated else term


def _checked(found: Iterator[Word]) -> Iterator[Word]:
    """Yield the words within the limits of a filter. Raises QueryError."""
    wildcard_paths: set[str] = set()
    before: Word | None = None
    count = 0
    for word in found:
        count += word.operator not in ("(", ")") and word.source != AND
        if count > MAX_TERMS:
            raise QueryError(word.column, f"a filter has at most {MAX_TERMS} terms.")
        if before:
            _check_neighbours(before, word)
        before = word
        if leads_anywhere(content_terms.field_of(path := _path_of(word))):
            wildcard_paths.add(path)
        if len(wildcard_paths) > MAX_WILDCARD_PATHS:
            raise QueryError(word.column, _WILDCARDS)
        yield word


def _path_of(word: Word) -> str:
    """Return the name that a term looks at: for has: it is the value."""
    return word.value if word.operator == ":" and word.key.lower() == "has" else word.key


def _check_neighbours(before: Word, word: Word) -> None:
    """Refuse two words that are meant as one, or as an operator and its term. Raises QueryError."""
    if before.operator == ":" and before.key.lower() in _TIME_NAMES and is_clock(word.source):
        raise QueryError(word.column, _TIME_WITH_SPACE)
    if before.source.lower() == "not" and (sentence := lone_word(before.source)):
        raise QueryError(before.column, sentence)
    if before.operator != "(" and (sentence := lone_word(word.source)):
        raise QueryError(word.column, sentence)


def _signed_term(word: Word, now: datetime, expressions: ExpressionReader) -> Term:
    if word.operator in ("/", "=~"):
        term: Term = expressions.read(word)
        return terms.opposite(term) if word.negated else term
    if foreign := foreign_at(word.source):
        offset, sentence = foreign
        raise QueryError(word.column + offset, sentence)
    if word.source.lstrip("-").startswith("("):
        raise QueryError(word.column + word.source.index("("), _NO_GROUP)
    term = _term(word, now)
    return terms.opposite(term) if word.negated else term


def _term(word: Word, now: datetime) -> Term:
    match word.operator:
        case "=":
            return _equals(word)
        case "!=":
            return terms.Not(_equals(word))
        case "~":
            return content_terms.Contains(word.key, word.value)
        case ":":
            return prefixed(word, now)
        case ">" | ">=" | "<" | "<=":
            return comparison(word, now)
        case _:
            return _text(word)


def _equals(word: Word) -> Term:
    return derived_term(word.key, word.value) or content_terms.Equals(word.key, word.value)


def _text(word: Word) -> Term:
    if not word.value:
        raise QueryError(word.value_column, "there is nothing between the quotes.")
    return content_terms.Text(word.value)


def _alone(word: Word) -> str:
    return f"{word.source} stands between two terms; in quotes it is text."
