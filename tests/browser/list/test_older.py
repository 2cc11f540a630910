"""Older messages: slow retries while the server fails, and the scroll position after Back."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.browser.actions import published
from tests.support.browser.person import Person, Visit
from tests.support.browser.sizes import DESKTOP, PHONE
from tests.support.browser.writing import writer_at
from tests.support.local_cloud import Cloud, start_cloud
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Route

STORED = 700
# Scroll the element that scrolls on this page, the list or the window, to a position or to the end.
SCROLL = """top => {
    for (const one of [document.querySelector(".list"), window]) one.scrollTo({ top, behavior: "instant" });
}"""
SCROLLED = "Math.max(scrollY, document.querySelector('.list').scrollTop)"
END = 1_000_000
SEEN = """() => {
    const row = document.elementFromPoint(190, 600)?.closest("tr.message");
    return row ? [row.dataset.id, row.getBoundingClientRect().top] : ["", 0];
}"""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud with many messages that a filter can find one by one."""
    with start_cloud(tmp_path_factory.mktemp("full")) as cloud, writer_at(cloud) as writer:
        for _ in range(STORED // 100):
            writer.messages(100, attributes={"team": "a"})
        yield cloud


def load(person: Person, rows: int) -> None:
    """Scroll to the end until ``count`` rows are loaded."""
    wait_until(lambda: _scrolled(person) >= rows, f"{rows} loaded rows", 20)


def _scrolled(person: Person) -> int:
    person.page.evaluate(SCROLL, END)
    return len(person.rows())


def sees(person: Person, expected: tuple[str, float]) -> bool:
    """Tell whether a row is at its old position, within one pixel."""
    row, top = person.page.evaluate(SEEN)
    return bool(row == expected[0] and abs(top - expected[1]) <= 1)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_back_restores_the_scroll_position(visit: Visit, full: Cloud, size: dict[str, int]) -> None:
    ana = visit(cloud=full, viewport=size)
    ana.wait_until_live()
    load(ana, 200)
    ana.page.evaluate(SCROLL, ana.page.evaluate(SCROLLED) // 2)
    ana.page.wait_for_timeout(500)
    seen, rows = ana.page.evaluate(SEEN), len(ana.rows())
    ana.page.evaluate("id => document.querySelector(`tr[data-id='${id}'] a.chip`).click()", seen[0])
    ana.page.wait_for_url("**/messages?q=*")
    published(full, 3)
    ana.page.go_back()
    wait_until(lambda: len(ana.rows()) >= rows, "the list as deep as it was", 20)
    wait_until(lambda: sees(ana, seen), "the same row at the same place", 5)
    ana.wait_until_live()
    ana.page.wait_for_timeout(500)
    assert sees(ana, seen), "it does not stay"


def test_back_from_a_message_page_restores_the_scroll_position(visit: Visit, full: Cloud) -> None:
    ana = visit(cloud=full)
    ana.wait_until_live()
    load(ana, 100)
    ana.page.evaluate(SCROLL, 1500)
    ana.page.wait_for_timeout(500)
    seen = ana.page.evaluate(SEEN)
    ana.page.locator(f'tr[data-id="{seen[0]}"] a.preview').focus()
    ana.page.keyboard.press("Enter")
    ana.page.wait_for_selector("#drawer .detail")
    ana.page.reload()
    ana.page.go_back()
    ana.page.wait_for_selector("tr.message")
    wait_until(lambda: sees(ana, seen), "the same row at the same place", 5)


def test_deep_scroll_is_not_restored(visit: Visit, full: Cloud) -> None:
    ana = visit(cloud=full)
    load(ana, 600)
    ana.page.wait_for_timeout(500)
    ana.open("/help")
    ana.page.go_back()
    wait_until(lambda: len(ana.rows()) >= 450, "450 loaded rows", 20)
    ana.page.wait_for_timeout(500)
    assert len(ana.rows()) <= 500
    assert ana.page.evaluate(SCROLLED) == 0


def test_scrolling_reader_is_not_moved(visit: Visit, full: Cloud) -> None:
    ana = visit(cloud=full)
    load(ana, 300)
    ana.page.wait_for_timeout(500)
    ana.open("/help")
    ana.page.route("**/messages?before=*", lambda route: _later(ana, route))
    ana.page.go_back()
    ana.page.mouse.move(600, 600)
    ana.page.mouse.wheel(0, 60)
    ana.page.wait_for_timeout(2_500)
    assert ana.page.evaluate(SCROLLED) <= 60
    ana.page.unroute_all(behavior="wait")


def _later(person: Person, route: "Route") -> None:
    person.page.wait_for_timeout(300)
    route.continue_()


def test_failing_server_is_retried_slowly_and_reported_once(visit: Visit, full: Cloud) -> None:
    ana = visit(cloud=full)
    asked: list[str] = []
    ana.page.route("**/messages?before=*", lambda route: _fail(route, asked))
    ana.page.evaluate(f"top => {{ setInterval(() => ({SCROLL})(top--), 20) }}", END)
    ana.page.wait_for_timeout(1_200)
    assert len(asked) == 1, "one failure was followed by another at once"
    wait_until(lambda: _asked(ana, asked) == 2, "a second request")
    assert ana.page.locator(".notice p").all_inner_texts() == ["The server answered 503."]
    ana.page.click("#older a")
    wait_until(lambda: _asked(ana, asked) == 3, "a request at once after a click", 1)
    ana.page.unroute_all()
    wait_until(lambda: len(ana.rows()) > 50, "loading that continues without a click")


def _asked(person: Person, asked: list[str]) -> int:
    """Return the number of requests, after processing the browser's events."""
    person.page.wait_for_timeout(20)
    return len(asked)


def _fail(route: "Route", asked: list[str]) -> None:
    asked.append(route.request.url)
    route.fulfill(status=503, body="busy")
