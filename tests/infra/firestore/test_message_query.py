"""The queries of a selection: as few as Firestore's 30 disjunctions allow, and with all of its tokens."""

import pytest

from infra.firestore.message_query import Operator, message_query, tokens_at_once
from infra.firestore.message_reader import Selection
from infra.messages.message import MORE_TOKENS


@pytest.mark.parametrize(
    ("shards", "counts"), [(1, [6]), (5, [6]), (6, [5, 1]), (10, [3, 3]), (30, [1, 1, 1, 1, 1, 1])]
)
def test_selection_is_split_by_the_disjunctions_of_a_query(shards: int, counts: list[int]) -> None:
    tokens = tuple(f"severity={number}" for number in range(5))
    parts = Selection("builds", tokens).parts(tokens_at_once(shards))
    assert [len(part.tokens) for part in parts] == counts
    assert all(len(part.tokens) * shards <= 30 for part in parts)
    assert [token for part in parts for token in part.tokens] == [*tokens, MORE_TOKENS]
    assert {part.subscription for part in parts} == {"builds"}


def test_selection_without_tokens_is_one_query() -> None:
    assert Selection("builds").parts(30) == [Selection("builds")]


def test_one_token_is_contained_and_several_are_alternatives() -> None:
    for tokens, operator in ((("a=b",), Operator.ARRAY_CONTAINS), (("a=b", "…"), Operator.ARRAY_CONTAINS_ANY)):
        clauses = [part.field_filter for part in message_query(2, "", tokens, 0).where.composite_filter.filters]
        assert [(clause.field.field_path, clause.op) for clause in clauses][1:] == [("tokens", operator)]
