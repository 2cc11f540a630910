"""Explain a filter to its reader: how each term is answered, and what may be meant otherwise. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.query import Query, content_terms, terms
from infra.query.narrowing import narrowing
from infra.query.ordered.measures import MEASURES
from infra.query.syntax.tokenizer import EXPRESSION_SIGNS
from infra.query.terms import Term

# "memory": messages are read, and compared one after the other. The others are limits of that read.
Answer = Literal["id", "index", "received", "subscription", "memory"]
_SLASHES = re.compile(r"-?/[^/]+/")
_ORDERS = {"number": "numbers", "time": "times"}


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """One term as typed, how it is answered, and in a few words what it compares; empty when its text says it."""

    source: str
    answer: Answer
    meaning: str


def explain(query: Query, *, uses_index: bool = True) -> tuple[ExplainedTerm, ...]:
    """Explain each term; without ``uses_index`` the tokens of the index are not asked."""
    pairs = zip(query.terms, query.sources, strict=True)
    tokens = query.tokens if uses_index else ()
    return tuple(ExplainedTerm(source, _answer(term, query, tokens), _meaning(term)) for term, source in pairs)


def hints(query: Query) -> Iterator[str]:
    """Yield a sentence for each term that may be meant as an operator, and is text."""
    signs = "".join(sorted(EXPRESSION_SIGNS))
    for term, source in zip(query.terms, query.sources, strict=True):
        text = term.term if isinstance(term, terms.Not) else term
        if not isinstance(text, content_terms.Text) or '"' in source:
            continue
        if _SLASHES.fullmatch(source):
            yield f"{text.part} is text with its slashes: a regular expression has one of {signs} between them."
        elif source.endswith(")") and source.count(")") > source.count("("):
            yield f"{text.part} is text: no bracket is open before its )."


def _answer(term: Term, query: Query, tokens: tuple[str, ...]) -> Answer:
    if isinstance(term, terms.IdIs) and term.id == query.id:
        return "id"
    held = narrowing(term)
    if tokens and held.tokens == tokens:
        return "index"
    if held.subscription:
        return "subscription"
    return "received" if held.after or held.before else "memory"


def _meaning(term: Term) -> str:
    match term:
        case terms.Not(term=negated):
            meaning = _meaning(negated)
            return f"not: {meaning}" if meaning else ""
        case content_terms.Compared(key=key, order=order):
            return f"{_ORDERS[order]} in {_place(key)}"
        case terms.Measured(name=name):
            return MEASURES[name].meaning
        case content_terms.Matches(key=key):
            return f"a regular expression in {_place(key)}" if key else "a regular expression in each text"
        case terms.AllOf() | terms.AnyOf():
            return "a group"
    return ""


def _place(key: str) -> str:
    if field := content_terms.field_of(key):
        return f"the JSON field {field}"
    return f"the attribute {key}"
