"""Random filters over a real Firestore: index and predicate find what the evaluator finds, in searches and replays."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.firestore.client import Database
from infra.firestore.message_reader import EVERYTHING, MessageReader
from infra.firestore.search import SearchBounds, search
from infra.messages.cursor import Cursor
from infra.messages.message import MORE_TOKENS
from infra.query import Query, QueryError, parse
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from tests.support.random_filters import judge, random_filter, random_message, text_of
from tests.support.received import NOW
from web.live.client_filter import parse_client_filter

STORED = 60
FILTERS = 120
PLENTY = SearchBounds(messages=10_000, seconds=60)


@pytest.fixture(scope="module")
def messages() -> Iterator[MessageReader]:
    local = LocalFirestore()
    writer = Writer(local.address)
    database = Database(settings_for(local.address))
    choices = random.Random(11)
    for number in range(STORED):
        made = random_message(choices)
        # Some have more fields than the index holds: an indexed search must read them all.
        tokens = [*made.tokens[:1], MORE_TOKENS] if number % 9 == 0 else list(made.tokens)
        fields = ("subscription", "message_id", "attributes", "kind", "preview", "data", "size_bytes", "deliveries")
        given = {name: getattr(made, name) for name in (*fields, "publish_time", "received_at")}
        attempt = {} if made.delivery_attempt is None else {"delivery_attempt": made.delivery_attempt}
        writer.message(tokens=tokens, shard=number % 3, **given, **attempt)
    yield MessageReader(database, shards=3)
    writer.close()
    database.close()
    local.close()


def found_by(messages: MessageReader, query: Query) -> list[str]:
    found: list[str] = []
    before: Cursor | None = None
    while True:
        page = search(messages, EVERYTHING, query, before=before, limit=9, bounds=PLENTY)
        found += [message.id for message in page.messages]
        if page.older is None:
            return found
        before = page.older


def live(messages: MessageReader, text: str) -> list[str]:
    client_filter = parse_client_filter(text, "")
    replayed = messages.since(Cursor(NOW - timedelta(days=1), "0" * 32), client_filter.selection)
    assert replayed is not None
    return [message.id for message in replayed[::-1] if client_filter.accepts(message)]


def test_index_loses_no_match(messages: MessageReader) -> None:
    choices, stored = random.Random(12), messages.page(limit=STORED + 1)
    assert len(stored) == STORED
    answers = []
    for _ in range(FILTERS):
        node = random_filter(choices)
        text = text_of(node)
        try:
            query = parse(text, NOW)
        except QueryError as error:
            if "at most" not in error.problem:
                raise
            continue
        expected = [message.id for message in stored if judge(node, message)]
        assert found_by(messages, query) == expected, text
        assert live(messages, text) == expected, text
        answers.append((len(expected), query.tokens))
    narrowed = [count for count, tokens in answers if tokens]
    assert len(narrowed) > FILTERS / 10, "the index is asked"
    assert any(narrowed), "and it finds some"
    assert sum(1 for count, _ in answers if 0 < count < STORED) > FILTERS / 3
