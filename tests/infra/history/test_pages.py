"""The audit and the refused pushes in the order of time: pages by cursor, a filter that says how far it looked."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.firestore.client import Database
from infra.history.pages import History, HistoryEntry
from infra.messages.cursor import AUTO_ID, Cursor

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def journal(database: Database, name: str) -> History:
    """2,300 entries, three of each moment."""
    batch = database.documents.batch()
    for number in range(2_300):
        entry = database.documents.collection(name).document(f"{number:020d}")
        batch.create(entry, {"at": START + timedelta(seconds=number // 3), "number": number})
        if number % 400 == 399:
            batch.commit()
            batch = database.documents.batch()
    batch.commit()
    return History(database, name)


def anything(_: HistoryEntry) -> bool:
    return True


def numbers(entries: list[HistoryEntry]) -> list[int]:
    return [entry.fields["number"] for entry in entries]


def test_pages_follow_each_other_without_gap_or_repetition(journal: History) -> None:
    seen: list[int] = []
    before: Cursor | None = None
    while True:
        page = journal.page(anything, before=before, limit=250)
        seen += numbers(page.entries)
        before = page.older and Cursor.parse(str(page.older), AUTO_ID)
        if not before:
            break
    assert seen == list(range(2_299, -1, -1))


def test_a_rare_entry_is_found_or_the_page_says_how_far_it_looked(journal: History) -> None:
    page = journal.page(lambda entry: entry.fields["number"] == 5)
    assert (page.entries, page.cut) == ([], True)
    assert page.older is not None
    page = journal.page(lambda entry: entry.fields["number"] == 5, before=page.older)
    assert page.cut
    page = journal.page(lambda entry: entry.fields["number"] == 5, before=page.older)
    assert (numbers(page.entries), page.older, page.cut) == ([5], None, False)


@pytest.mark.parametrize("text", ["", "x", "1-", "-1-a", "1-a/b", "9" * 18 + "-a", "1-../x", "\u0661-a"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        Cursor.parse(text, AUTO_ID)
