"""Desktop notifications: sent every few seconds for a hidden page, without the content unless that is chosen."""

from uuid import uuid4

import pytest

from infra.messages.message import document_id
from tests.support.browser.actions import WRITE_DOWN, switch_on
from tests.support.browser.axe import OPEN_MENU, violations
from tests.support.browser.person import Person, Visit
from tests.support.browser.sizes import DESKTOP, PHONE
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until

pytestmark = pytest.mark.notifies

EVERY_MS = 5_000


def look_away(person: Person) -> None:
    """Bring another tab to the front; otherwise Playwright gives every page the focus."""
    person.context.new_cdp_session(person.page).send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    other = person.context.new_page()
    other.bring_to_front()
    wait_until(lambda: not person.page.evaluate("document.hasFocus()"), "the page's loss of focus", 5)


def look_back(person: Person) -> None:
    person.page.bring_to_front()
    wait_until(lambda: person.page.evaluate("document.hasFocus()"), "the page's focus", 5)


def told(person: Person) -> list[tuple[str, str]]:
    found = person.page.evaluate("told.map(({ title, body }) => [title, body])")
    return [(title, body) for title, body in found]


def test_notification_has_count_and_subscription(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    ana = visit(at=f"/messages?q=team%3D{team}")
    switch_on(ana)
    ana.wait_until_live()
    look_away(ana)
    ana.see(cloud.publish(b"secret", team=team))
    wait_until(lambda: told(ana), "the first notification", 5)
    assert told(ana) == [("1 new message", cloud["subscription"])]
    assert ana.page.title().startswith("(1) ")
    for _ in range(3):
        last = cloud.publish(b"secret", team=team)
        cloud.publish(b"not of this filter")
    ana.page.wait_for_selector(f'tr.message[data-id="{document_id(cloud["subscription"], last)}"]', state="attached")
    assert len(told(ana)) == 1, "at most one every few seconds"
    wait_until(lambda: len(told(ana)) > 1, "a notification of the others")
    assert told(ana)[1:] == [("4 new messages", cloud["subscription"])]
    assert ana.page.evaluate("told[1].at - told[0].at") >= EVERY_MS - 100
    assert ana.page.title().startswith("(4) ")
    look_back(ana)
    wait_until(lambda: not ana.page.title().startswith("("), "the title without a count", 5)


def test_click_on_a_notification_opens_the_message(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    switch_on(ana)
    ana.wait_until_live()
    look_away(ana)
    one = cloud.publish(uuid4().hex.encode())
    ana.see(one)
    wait_until(lambda: told(ana), "the first notification", 5)
    look_back(ana)
    ana.page.evaluate("told[0].notification.dispatchEvent(new Event('click'))")
    ana.page.wait_for_selector(f'#drawer .detail[data-id="{document_id(cloud["subscription"], one)}"]')


def test_notification_shows_the_content_only_when_chosen(visit: Visit, cloud: Cloud) -> None:
    text = f"<img src=x onerror=alert(1)> {uuid4().hex}"
    ana = visit()
    switch_on(ana, text=True)
    ana.wait_until_live()
    look_away(ana)
    ana.see(cloud.publish(text.encode()))
    wait_until(lambda: told(ana), "the first notification", 5)
    assert told(ana)[0] == ("1 new message", f"{cloud['subscription']}\n{text}")


def test_visible_or_muted_page_sends_no_notification(visit: Visit, cloud: Cloud) -> None:
    ana, ben = visit(), visit()
    switch_on(ana)
    for person in (ana, ben):
        person.wait_until_live()
    ben.page.evaluate(WRITE_DOWN)
    look_away(ben)
    one = cloud.publish(b"seen by ana")
    for person in (ana, ben):
        person.see(one)
        person.page.wait_for_timeout(1_500)
        assert told(person) == []
        assert not person.page.title().startswith("(")


def test_choice_is_kept_in_the_browser(visit: Visit) -> None:
    ana = visit()
    switch_on(ana, text=True)
    ana.page.reload()
    ana.page.locator("#notify summary .default-mark").wait_for()
    ana.page.click(".notify > summary")
    assert ana.page.is_checked("#notify-text")
    ana.page.uncheck("#notify-wanted")
    assert ana.page.is_disabled("#notify-text")
    ana.page.reload()
    assert not ana.page.locator("#notify summary .default-mark").is_visible()


def test_blocked_notifications_are_explained(visit: Visit) -> None:
    ana = visit()
    ana.context.clear_permissions()
    ana.page.click(".notify > summary")
    ana.page.click("#notify-wanted")
    ana.see_notice("Your browser does not let this site notify you.")
    assert not ana.page.is_checked("#notify-wanted")
    assert not ana.page.locator("#notify summary .default-mark").is_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_menu_is_accessible(visit: Visit, size: dict[str, int]) -> None:
    ana = visit(viewport=size)
    switch_on(ana)
    assert not violations(ana.page, within=OPEN_MENU)
    assert ana.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
