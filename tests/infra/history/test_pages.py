"""Pages of history by cursor, and a filter that reports where its reading stopped."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.firestore.client import Database
from infra.history.pages import History, HistoryEntry
from infra.messages.cursor import AUTO_ID, Cursor

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def history(database: Database, name: str) -> History:
    """A collection of 2,300 entries, three with each time."""
    batch = database.documents.batch()
    for number in range(2_300):
        entry = database.documents.collection(name).document(f"{number:020d}")
        batch.create(entry, {"at": START + timedelta(seconds=number // 3), "number": number})
        if number % 400 == 399:
            batch.commit()
            batch = database.documents.batch()
    batch.commit()
    return History(database, name)


def is_any(_: HistoryEntry) -> bool:
    return True


def numbers(entries: list[HistoryEntry]) -> list[int]:
    return [entry.fields["number"] for entry in entries]


def test_pages_have_no_gap_and_no_repetition(history: History) -> None:
    shown: list[int] = []
    before: Cursor | None = None
    while True:
        page = history.page(is_any, before=before, limit=250)
        shown += numbers(page.entries)
        before = page.older and Cursor.parse(str(page.older), AUTO_ID)
        if not before:
            break
    assert shown == list(range(2_299, -1, -1))


def test_page_without_a_match_continues_from_where_reading_stopped(history: History) -> None:
    page = history.page(lambda entry: entry.fields["number"] == 5)
    assert (page.entries, page.cut) == ([], True)
    assert page.older is not None
    page = history.page(lambda entry: entry.fields["number"] == 5, before=page.older)
    assert page.cut
    page = history.page(lambda entry: entry.fields["number"] == 5, before=page.older)
    assert (numbers(page.entries), page.older, page.cut) == ([5], None, False)


@pytest.mark.parametrize("text", ["", "x", "1-", "-1-a", "1-a/b", "9" * 18 + "-a", "1-../x", "\u0661-a"])
def test_malformed_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        Cursor.parse(text, AUTO_ID)
