"""Bursts: at 1,000 messages a second the page answers, shows a part, and reports the skipped messages."""

import re
import statistics
from datetime import UTC, datetime
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.messages.cursor import Cursor
from infra.query import parse
from tests.support.browser.person import Person, Visit
from tests.support.browser.writing import burst
from tests.support.local_cloud import Cloud, StartCloud
from tests.support.waiting import wait_until

RATE, BATCHES_PER_SECOND, SECONDS = 1_000, 20, 4
thousands = partial(burst, messages=RATE * SECONDS, per_second=RATE, batch=RATE // BATCHES_PER_SECOND)
# The browser's measurement of the time from a key press to the next frame.
MEASURE = """() => {
    window.answers = [];
    new PerformanceObserver((list) => answers.push(...list.getEntries().map((one) => one.duration)))
        .observe({ type: "event", durationThreshold: 16 });
}"""


@pytest.fixture
def busy(visit: Visit, own_cloud: StartCloud) -> tuple[Person, Cloud]:
    """A person on the list of a cloud of this test only."""
    cloud = own_cloud()
    ana = visit(cloud=cloud)
    ana.wait_until_live()
    return ana, cloud


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
    """Wait until the newest stored message is on top and the list stays unchanged."""
    stored = cloud.firestore().collection("messages").order_by("received_at", direction="DESCENDING")
    newest = stored.order_by("__name__", direction="DESCENDING").limit(1).get()[0].id
    wait_until(lambda: person.rows()[:1] == [newest], "the newest message at the top", 40)
    person.page.wait_for_function(
        "() => { const now = document.querySelectorAll('tr.message').length, same = now === window.lastCount;"
        " window.lastCount = now; return same; }",
        polling=1500,
        timeout=30_000,
    )


def unaccounted(person: Person, cloud: Cloud) -> list[str]:
    """Return the messages newer than the oldest row that are neither in the list nor in the reported range."""
    shown = set(person.rows())
    cursors: list[str] = person.page.eval_on_selector_all("tr.message", "rows => rows.map((row) => row.dataset.cursor)")
    oldest = min(Cursor.parse(one) for one in cursors)
    after, before = span_of(person)
    stored = cloud.firestore().collection("messages").order_by("received_at", direction="DESCENDING").limit(5_000)
    found = [(one.id, one.get("received_at")) for one in stored.select(["received_at"]).get()]
    newer = [(name, at) for name, at in found if Cursor(at, name) >= oldest and name not in shown]
    return [f"{name} {at}" for name, at in newer if not after <= at < before]


def test_page_answers_at_a_thousand_messages_a_second(busy: tuple[Person, Cloud]) -> None:
    ana, cloud = busy
    ana.page.evaluate(MEASURE)
    with thousands(cloud) as ids:
        while len(ids) < RATE * (SECONDS - 1):
            ana.page.keyboard.press(".")
            ana.page.wait_for_timeout(100)
    answers: list[float] = ana.page.evaluate("answers")
    median, most = statistics.median(answers or [0]), max(answers or [0])
    print(f"{len(answers)} keys: median {median:.0f} ms, most {most:.0f} ms; {len(ana.rows())} rows")
    settle(ana, cloud)
    assert len(ids) == RATE * SECONDS
    assert median < 500
    assert len(ana.rows()) <= 500
    assert not unaccounted(ana, cloud)


def test_click_is_answered_within_a_second_in_a_burst(busy: tuple[Person, Cloud]) -> None:
    ana, cloud = busy
    ana.page.evaluate(MEASURE)
    box = ana.page.locator("#pause").bounding_box()
    assert box
    clicks = 0
    with thousands(cloud) as ids:
        while len(ids) < RATE * (SECONDS - 1) or clicks % 2:
            ana.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            clicks += 1
            ana.page.wait_for_timeout(150)
    settle(ana, cloud)
    answers: list[float] = ana.page.evaluate("answers")
    median, most = statistics.median(answers or [0]), max(answers or [0])
    print(f"{clicks} clicks: median {median:.0f} ms, most {most:.0f} ms")
    assert len(ids) == RATE * SECONDS
    assert median < 1_000
    assert ana.page.locator("#pause").get_attribute("aria-pressed") == "false", "a click was lost"
    assert not unaccounted(ana, cloud)


def test_skipped_messages_are_reported_and_linked(busy: tuple[Person, Cloud]) -> None:
    ana, cloud = busy
    with thousands(cloud) as ids:
        while len(ids) < RATE * 3:  # rows under a moving pointer do not move
            for x in range(300, 400, 20):
                ana.page.mouse.move(x, 400)
            ana.page.wait_for_timeout(20)
    settle(ana, cloud)
    words = " ".join(ana.page.locator("#skipped").inner_text().split())
    assert re.match(r"([\d,]+ skipped|Messages skipped since \d\d:\d\d) · show them", words), words
    assert not unaccounted(ana, cloud)
    after, before = span_of(ana)
    ana.page.click("#skipped a")
    ana.page.wait_for_url("**/messages?q=*")
    cursors: list[str] = ana.page.eval_on_selector_all("tr.message", "rows => rows.map((row) => row.dataset.cursor)")
    assert len(cursors) >= 50
    assert all(after <= Cursor.parse(one).at < before for one in cursors)


def test_resync_does_not_move_a_paused_view(busy: tuple[Person, Cloud]) -> None:
    ana, cloud = busy
    first = cloud.publish(b"before the pause")
    ana.see(first)
    ana.page.keyboard.press("Space")
    ana.context.set_offline(True)
    with thousands(cloud):
        pass
    ana.context.set_offline(False)  # more messages arrived than a stream replays
    ana.page.wait_for_selector('#arrivals:has-text("Many new messages while paused")', timeout=20_000)
    assert ana.rows() == [ana.row(first).get_attribute("data-id")]
    ana.page.click("#pause")
    ana.page.wait_for_selector("#skipped a")
    assert "Messages skipped since" in ana.page.locator("#skipped").inner_text()
    settle(ana, cloud)
    assert not unaccounted(ana, cloud)
