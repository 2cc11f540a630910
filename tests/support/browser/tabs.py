"""The tabs of one browser window, one of them in front, and the streams that they hold."""

from typing import TYPE_CHECKING

from tests.support.browser.person import Person
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

MAX_STREAMS = 3
# For a moment, until the tab that lost its slot has closed its stream.
MAX_STREAMS_AT_A_CHANGE = MAX_STREAMS + 1
# Headless Chromium never hides a page, so the test sends the events that a browser sends.
VISIBILITY = """
    window.inTheBack = sessionStorage.getItem("in-the-back") === "yes";
    Object.defineProperty(document, "hidden", { get: () => window.inTheBack });
    Object.defineProperty(document, "visibilityState", { get: () => (window.inTheBack ? "hidden" : "visible") });
"""
TO_THE = """where => {
    window.inTheBack = where === "back";
    document.dispatchEvent(new Event("visibilitychange"));
}"""


class Tabs:
    """The tabs of one browser window, one of them in front; Chromium without a window hides none by itself."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.all: list[Page] = []
        self.streams: set[Request] = set()
        self.most_streams = 0
        person.context.add_init_script(VISIBILITY)
        person.context.on("request", self._on_request)
        person.context.on("requestfinished", self._on_end)
        person.context.on("requestfailed", self._on_end)

    def open(self, path: str) -> "Page":
        """Open a tab in front of the others."""
        self.hide()
        page = self.person.context.new_page()
        self.all.append(page)
        page.goto(self.person.cloud["viewer"] + path, wait_until="commit")
        return page

    def hide(self) -> None:
        """Hide every tab that is visible."""
        for page in self.all:
            if not page.evaluate("document.hidden"):
                page.evaluate(TO_THE, "back")

    def show(self, page: "Page") -> None:
        self.hide()
        page.evaluate(TO_THE, "front")

    def see_few_streams(self) -> None:
        assert self.most_streams <= MAX_STREAMS_AT_A_CHANGE
        wait_until(lambda: self.all[0].evaluate("1") and len(self.streams) <= MAX_STREAMS, "the end of other streams")

    def _on_end(self, request: "Request") -> None:
        self.streams.discard(request)

    def _on_request(self, request: "Request") -> None:
        if "/live?" in request.url:
            self.streams.add(request)
            self.most_streams = max(self.most_streams, len(self.streams))
