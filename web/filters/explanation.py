"""The explanation of a filter beside the list: how each term is answered, and the statistics of the search. Pure."""

from dataclasses import dataclass

from infra.firestore.search import SearchResult
from infra.query import Query
from infra.query.explain import Answer, ExplainedTerm, explain, hints

ANSWERS: dict[Answer, str] = {
    "id": "the message id, read directly",
    "index": "the index",
    "received": "the time of receipt, a limit of the search",
    "subscription": "the index of subscriptions",
    "memory": "each message in memory",
}


@dataclass(frozen=True)
class Explanation:
    """The terms of a filter, sentences about terms that may be meant otherwise, and one sentence of statistics."""

    terms: tuple[ExplainedTerm, ...]
    hints: tuple[str, ...]
    statistics: str


def explanation(query: Query, found: SearchResult, *, uses_index: bool) -> Explanation:
    """Explain a filter and the search of its page."""
    statistics = statistics_text(found.looked_at, len(found.messages), found.seconds)
    return Explanation(explain(query, uses_index=uses_index), tuple(hints(query)), statistics)


def statistics_text(looked_at: int, matched: int, seconds: float) -> str:
    """Write the statistics as the page's script does (js/core/search_statistics.js)."""
    rate = f", {round(looked_at / seconds):,} each second" if seconds > 0 else ""
    looked = f"{looked_at:,} {'message was' if looked_at == 1 else 'messages were'} looked at"
    return f"{looked} in {seconds:.2f} s{rate}; {matched:,} matched."
