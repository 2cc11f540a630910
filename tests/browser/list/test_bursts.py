"""Bursts: at 1,000 messages a second the page answers, shows a part, and reports the skipped messages.

``python -m tests.benchmarks.live --only browser`` measures how fast it answers.
"""

import re
from datetime import UTC, datetime
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.messages.cursor import Cursor
from infra.query import parse
from tests.support.browser.person import Person, Visit
from tests.support.browser.writing import burst
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until

MESSAGES = 3_000
thousands = partial(burst, messages=MESSAGES, per_second=1_000, batch=50)


@pytest.fixture
def busy(visit: Visit, module_cloud: Cloud) -> tuple[Person, Cloud]:
    """A person on the live list of this module's cloud."""
    person = visit(cloud=module_cloud)
    person.wait_until_live()
    return person, module_cloud


def span_of(person: Person) -> tuple[datetime, datetime]:
    """Return the time range of the link to the skipped messages; twice 1970 when none were skipped."""
    link = person.page.locator("#skipped a")
    if not link.is_visible():
        return datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(0, UTC)
    query = parse_qs(urlsplit(link.get_attribute("href") or "").query)["q"][0]
    found = parse(query, datetime.now(UTC))
    assert found.after, query
    assert found.before, query
    return found.after, found.before


def settle(person: Person, cloud: Cloud) -> None:
    """Wait until the newest stored message is on top, and each one is in the list or reported as skipped.

    The burst is over: the stored messages are read once.
    """
    ordered = cloud.firestore().collection("messages").order_by("received_at", direction="DESCENDING")
    found = ordered.order_by("__name__", direction="DESCENDING").limit(5_000).select(["received_at"]).get()
    stored = [Cursor(one.get("received_at"), one.id) for one in found]
    wait_until(lambda: person.rows()[:1] == [stored[0].id], "the newest message at the top", 40)
    wait_until(lambda: not unaccounted(person, stored), "each message in the list or in the skipped range", 40)


def cursors_of(person: Person) -> list[Cursor]:
    """Return the cursors of the rows from top to bottom."""
    texts: list[str] = person.page.eval_on_selector_all("tr.message", "rows => rows.map((row) => row.dataset.cursor)")
    return [Cursor.parse(text) for text in texts]


def unaccounted(person: Person, stored: list[Cursor]) -> list[Cursor]:
    """Return the messages newer than the oldest row that are neither in the list nor in the reported range."""
    rows = cursors_of(person)
    oldest, shown = min(rows), {row.id for row in rows}
    after, before = span_of(person)
    newer = [one for one in stored if one >= oldest and one.id not in shown]
    return [one for one in newer if not after <= one.at < before]


def test_every_click_in_a_burst_is_answered(busy: tuple[Person, Cloud]) -> None:
    person, cloud = busy
    box = person.page.locator("#pause").bounding_box()
    assert box
    clicks = 0
    with thousands(cloud) as ids:
        while len(ids) < MESSAGES * 3 // 4 or clicks % 2:
            person.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            clicks += 1
            person.page.wait_for_timeout(150)
    settle(person, cloud)
    assert clicks >= 4, "the burst ended before the clicks"
    assert person.page.locator("#pause").get_attribute("aria-pressed") == "false", "a click was lost"


def test_burst_leaves_the_newest_rows_in_order(busy: tuple[Person, Cloud]) -> None:
    person, cloud = busy
    with thousands(cloud):
        pass
    settle(person, cloud)
    cursors = cursors_of(person)
    assert cursors == sorted(cursors, reverse=True)
    assert 0 < len(cursors) <= 500
    assert person.page.locator("#older a").is_visible(), "older messages can be loaded"


def test_skipped_messages_are_reported_and_linked(busy: tuple[Person, Cloud]) -> None:
    person, cloud = busy
    with thousands(cloud) as ids:
        while len(ids) < MESSAGES * 3 // 4:  # rows under a moving pointer do not move
            for x in range(300, 400, 20):
                person.page.mouse.move(x, 400)
            person.page.wait_for_timeout(20)
    settle(person, cloud)
    words = " ".join(person.page.locator("#skipped").inner_text().split())
    assert re.match(r"([\d,]+ skipped|Messages skipped since \d\d:\d\d) · show them", words), words
    after, before = span_of(person)
    person.page.click("#skipped a")
    person.page.wait_for_url("**/messages?q=*")
    cursors = cursors_of(person)
    assert len(cursors) >= 50
    assert all(after <= cursor.at < before for cursor in cursors)


def test_resync_does_not_move_a_paused_view(busy: tuple[Person, Cloud]) -> None:
    person, cloud = busy
    first = cloud.publish(b"before the pause")
    person.see(first)
    person.page.keyboard.press("Space")
    paused = person.rows()
    person.context.set_offline(True)
    with thousands(cloud):
        pass
    person.context.set_offline(False)  # more messages arrived than a stream replays
    person.page.wait_for_selector('#arrivals:has-text("Many new messages while paused")', timeout=20_000)
    assert person.rows() == paused
    person.page.click("#pause")
    person.page.wait_for_selector("#skipped a")
    assert "Messages skipped since" in person.page.locator("#skipped").inner_text()
    settle(person, cloud)
