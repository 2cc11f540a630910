"""Many tabs of one browser on HTTP/1.1, which has six connections to a host: they share the streams that fit."""

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from infra.messages.message import document_id
from tests.support.browser.person import Visit
from tests.support.browser.tabs import TO_THE, Tabs
from tests.support.local_cloud import Cloud
from tests.support.viewer.visitor import COOKIE
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

TABS = 20
LIVE = '#connection[data-state="live"]'
NOTIFY = """
    localStorage.setItem("subscope-notify", "count");
    window.told = [];
    window.Notification = class extends EventTarget {
        static permission = "granted";
        constructor(title) { super(); told.push(parseInt(title)); }
        close() {}
    };
"""
ANSWERS = "async () => (await fetch('/session', { signal: AbortSignal.timeout(5000) })).status"
PRESS_SIGN_OUT = "document.querySelector('form[action=\"/logout\"]').requestSubmit()"


@pytest.fixture
def tabs(visit: Visit) -> Tabs:
    """A signed-in person with no open tab of the list."""
    ana = visit()
    ana.page.goto("about:blank")
    return Tabs(ana)


def row_of(cloud: Cloud, message_id: str) -> str:
    return f'tr.message[data-id="{document_id(cloud["subscription"], message_id)}"]'


def test_twenty_tabs_answer_and_each_is_live_when_shown(tabs: Tabs, cloud: Cloud) -> None:
    team = uuid4().hex
    for number in range(TABS):
        tabs.open(f"/messages?q=team%3D{team}" + "%20kind:text" * (number % 2))
    tabs.all[-1].wait_for_selector(LIVE)
    one = cloud.publish(b"for every tab", team=team)
    for page in (tabs.all[0], tabs.all[7]):
        tabs.show(page)
        page.wait_for_selector(LIVE, timeout=2_000)
        page.wait_for_selector(row_of(cloud, one), timeout=2_000)
    assert {page.evaluate(ANSWERS) for page in tabs.all[:3]} == {200}
    tabs.all[7].click(f"{row_of(cloud, one)} a")
    tabs.all[7].wait_for_selector("#drawer .detail")
    tabs.see_few_streams()


def test_visible_tabs_beyond_the_slots_follow_in_turns(tabs: Tabs, cloud: Cloud) -> None:
    windows = [tabs.open("/messages") for _ in range(5)]
    for page in windows:
        page.evaluate(TO_THE, "front")
    one = cloud.publish(b"for every window")
    windows[-1].wait_for_selector(row_of(cloud, one), timeout=2_000)
    for page in windows:
        page.wait_for_selector(row_of(cloud, one), timeout=20_000)
    assert windows[-1].get_attribute("#connection", "data-state") == "live"
    assert "Live in turns" in {words_of(page)[:13] for page in windows[:-1]}
    assert not any(page.locator(".notice").count() for page in windows), "turns are no absence"
    tabs.see_few_streams()


def words_of(page: "Page") -> str:
    return page.inner_text("#connection .words")


def test_hidden_tabs_notify_of_each_message_once(tabs: Tabs, cloud: Cloud) -> None:
    team, kind = uuid4().hex, uuid4().hex
    tabs.person.context.add_init_script(NOTIFY)
    paths = [f"/messages?q=team%3D{team}", f"/messages?q=kind%3D{kind}"]
    for path in [*paths, *paths]:
        tabs.open(path).wait_for_selector(LIVE)
    tabs.hide()
    cloud.publish(b"of both lists", team=team, kind=kind)
    cloud.publish(b"of one list", team=team)
    cloud.publish(b"of the other list", kind=kind)

    def told() -> list[list[int]]:
        return [page.evaluate("told") for page in tabs.all]

    # A notification has the count of all that its list has had; one tab of a list notifies.
    wait_until(lambda: sum(max(counts, default=0) for counts in told()) >= 3, "the notifications", 30)
    assert sum(max(counts, default=0) for counts in told()) == 3
    assert sum(bool(counts) for counts in told()) == len(paths)
    assert tabs.all[0].evaluate(ANSWERS) == 200
    tabs.see_few_streams()


def test_sign_out_in_one_tab_ends_the_streams_of_all(tabs: Tabs, cloud: Cloud) -> None:
    first, second = tabs.open("/messages"), tabs.open("/messages")
    first.evaluate(TO_THE, "front")
    for page in (first, second):
        page.wait_for_selector(LIVE)
    second.evaluate(PRESS_SIGN_OUT)
    second.wait_for_url("**/login*")
    first.wait_for_selector('#connection[data-state="signed-out"]')
    cookie = {"name": COOKIE, "value": cloud.session("viewer"), "url": cloud["viewer"]}
    tabs.person.context.add_cookies([cookie])  # type: ignore[list-item]
    one = cloud.publish(b"for another user")
    second.goto(f"{cloud['viewer']}/messages")
    second.wait_for_selector(row_of(cloud, one))
    assert not first.locator(row_of(cloud, one)).count()
    assert first.get_attribute("#connection", "data-state") == "signed-out"


def test_page_that_is_left_frees_its_stream_and_is_live_when_back(tabs: Tabs) -> None:
    page = tabs.open("/messages")
    page.wait_for_selector(LIVE)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    wait_until(lambda: page.evaluate("1") and not tabs.streams, "the end of the stream")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    wait_until(lambda: page.evaluate("1") and tabs.streams, "the stream")
    page.wait_for_selector(LIVE)
