"""Older messages: asked for with patience while the server fails."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Visit
from tests.browser.person import Person
from tests.browser.writing import writer_at
from tests.cloud import Cloud, start_cloud, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Route

STORED = 700
# Whichever scrolls, the list or the window, to a place or to its end.
SCROLL = """top => {
    for (const one of [document.querySelector(".list"), window]) one.scrollTo({ top, behavior: "instant" });
}"""
END = 1_000_000


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud with many messages, each of which can be filtered by."""
    with start_cloud(tmp_path_factory.mktemp("full")) as cloud, writer_at(cloud) as writer:
        for _ in range(STORED // 100):
            writer.messages(100, attributes={"team": "a"})
        yield cloud


def test_while_the_server_fails_it_is_asked_now_and_then_and_said_once(visit: Visit, full: Cloud) -> None:
    ana = visit(cloud=full)
    asked: list[str] = []
    ana.page.route("**/messages?before=*", lambda route: _fail(route, asked))
    ana.page.evaluate(f"top => {{ setInterval(() => ({SCROLL})(top--), 20) }}", END)
    ana.page.wait_for_timeout(1_200)
    assert len(asked) == 1, "one failure was followed by another at once"
    wait_until(lambda: _asked(ana, asked) == 2, 10, "it was not asked again")
    assert ana.page.locator(".notice p").all_inner_texts() == ["The server answered 503."]
    ana.page.click("#older a")
    wait_until(lambda: _asked(ana, asked) == 3, 1, "who asks need not wait")
    ana.page.unroute_all()
    wait_until(lambda: len(ana.rows()) > 50, 10, "it did not go on by itself")


def _asked(person: Person, asked: list[str]) -> int:
    """How often, after the browser's words were heard."""
    person.page.wait_for_timeout(20)
    return len(asked)


def _fail(route: "Route", asked: list[str]) -> None:
    asked.append(route.request.url)
    route.fulfill(status=503, body="busy")
