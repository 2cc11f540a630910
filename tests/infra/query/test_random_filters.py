"""Ten thousand random filters and messages: the predicate, and what the index is asked, against an own evaluator."""

import random
from datetime import datetime

import pytest

from infra.messages.message import MORE_TOKENS, Message
from infra.query import Query, QueryError, parse
from tests.support.random_filters import Node, judge, random_filter, random_message, text_of
from tests.support.received import NOW

PARTS = 4
FILTERS = 2_500


def parsed(node: Node) -> Query | None:
    """Parse the text of a filter; None when it has more terms, paths or expressions than a filter may have."""
    try:
        return parse(text_of(node), NOW)
    except QueryError as error:
        if "at most" not in error.problem:
            raise
        return None


def is_selected(query: Query, stored: Message) -> bool:
    """Tell whether Firestore's selection for a filter has a message."""
    tokens = {*query.tokens}
    at: datetime = stored.received_at
    return (
        (not tokens or bool(tokens & {*stored.tokens}) or MORE_TOKENS in stored.tokens)
        and query.subscription in ("", stored.subscription)
        and (query.after is None or at >= query.after)
        and (query.before is None or at < query.before)
    )


@pytest.mark.parametrize("seed", range(PARTS))
def test_predicate_and_selection_agree_with_the_evaluator(seed: int) -> None:
    choices = random.Random(seed)
    messages = [random_message(choices) for _ in range(200)]
    met, narrowed = 0, 0
    for _ in range(FILTERS):
        node = random_filter(choices)
        if (query := parsed(node)) is None:
            continue
        for stored in choices.sample(messages, 2):
            expected = judge(node, stored)
            assert query.matches(stored) is expected, f"{text_of(node)} on {stored.data!r} {stored.attributes}"
            selected = is_selected(query, stored)
            assert selected or not expected, f"{text_of(node)} is not selected: {stored.tokens}"
            met, narrowed = met + expected, narrowed + (not selected)
    assert met > FILTERS / 2, "a good part of the filters matches"
    assert narrowed > FILTERS / 50, "the index excludes some of the others"
