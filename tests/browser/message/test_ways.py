"""Other ways to use the viewer: without JavaScript, by keyboard, on a phone, in dark mode."""

import re

import pytest

from infra.messages.message import document_id
from tests.support.browser.actions import fill, published_ids
from tests.support.browser.axe import small_targets
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud

PHONE = {"width": 390, "height": 844}


def test_page_works_without_javascript(visit: Visit, cloud: Cloud) -> None:
    published_ids(cloud, 60)
    one = cloud.publish(b'{"plain": "page"}')
    ana = visit(java_script_enabled=False)
    for _ in range(50):
        if ana.row(one).count():
            break
        ana.page.wait_for_timeout(100)
        ana.page.reload()
    first = ana.page.locator("tr.message").count()
    assert first == 50
    top = ana.page.locator("tr.message a.preview").first.get_attribute("href")
    ana.page.click('a[rel="next"]')
    assert "before=" in ana.page.url
    assert ana.page.locator("tr.message a.preview").first.get_attribute("href") != top
    ana.page.click('a:has-text("Newest messages")')
    ana.row(one).locator("a.preview").click()
    assert '"plain"' in ana.page.locator("pre.code").inner_text()
    ana.page.click('a[data-view="hex"]')
    assert "7b 22 70 6c" in ana.page.locator("pre.code").inner_text()
    ana.open("/messages")
    ana.page.click("button.stop")
    ana.page.click('main a:text-is("Keep receiving")')
    ana.see_state("RECEIVING")
    ana.page.click("button.stop")
    ana.page.click('main button:text-is("Stop for everyone")')
    assert "is stopped, for everyone" in ana.page.locator(".page-notice").inner_text()
    ana.see_state("STOPPED")
    ana.page.click("button.start")
    assert "is started, for everyone" in ana.page.locator(".page-notice").inner_text()
    ana.see_state("RECEIVING")
    assert not ana.page.locator("#pause, #connection, .zone").locator("visible=true").count(), "it would do nothing"
    ana.page.click(".menu summary")
    ana.page.click('button:text-is("Sign out")')
    assert ana.page.url.endswith("/login?notice=out")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_sign_in_returns_to_the_requested_page(visit: Visit, scripts: bool) -> None:
    ana = visit(java_script_enabled=scripts)
    ana.context.clear_cookies()
    ana.open("/messages?q=kind%3Ajson")
    ana.fill_in_sign_in()
    ana.page.wait_for_url("**/messages?q=kind%3Ajson")
    assert ana.page.input_value("input[name=q]") == "kind:json"


def test_keyboard_is_enough(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    person.wait_until_live()
    fill(person, cloud, 3)
    keys = person.page.keyboard
    keys.press("j")
    keys.press("j")
    keys.press("k")
    keys.press("j")
    second = person.rows()[1]
    assert person.page.locator("tr.selected").get_attribute("data-id") == second
    keys.press("Enter")
    person.page.wait_for_selector(f'#drawer .detail[data-id="{second}"]')
    keys.press("j")
    person.page.wait_for_selector(f'#drawer .detail[data-id="{person.rows()[2]}"]')
    keys.press("Escape")
    person.page.wait_for_selector("#drawer", state="hidden")
    assert person.page.url.endswith("/messages")
    assert person.page.evaluate("document.activeElement.closest('tr').dataset.id") == person.rows()[2]
    keys.press("?")
    assert person.page.locator("#keys").is_visible()
    keys.press("Escape")
    keys.press(" ")
    assert person.page.locator("#pause").get_attribute("aria-pressed") == "true"


def test_back_closes_the_message_and_restores_the_address(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    person.wait_until_live()
    one = cloud.publish(b"an address of its own")
    person.see(one)
    person.row(one).click()
    person.page.wait_for_selector("#drawer .detail")
    person.page.go_back()
    person.page.wait_for_selector("#drawer", state="hidden")
    person.page.go_forward()
    person.page.reload()
    assert document_id(cloud["subscription"], one) in person.page.url
    assert "an address of its own" in person.page.locator("pre.code").inner_text()


def test_forward_opens_the_message_again(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    one = cloud.publish(b"back and forth")
    ana.see(one)
    ana.row(one).click()
    ana.page.wait_for_selector("#drawer .detail")
    ana.page.click('#drawer a[data-view="hex"]')
    ana.page.wait_for_selector('#drawer a[data-view="hex"][aria-current]')
    ana.page.go_back()
    ana.page.wait_for_selector("#drawer", state="hidden")
    ana.page.go_forward()
    ana.page.wait_for_selector('#drawer a[data-view="hex"][aria-current]')
    assert document_id(cloud["subscription"], one) in ana.page.url
    assert ana.row(one).evaluate("row => row.classList.contains('selected')")
    ana.page.keyboard.press("Escape")
    ana.page.wait_for_selector("#drawer", state="hidden")
    assert ana.page.url.endswith("/messages")


def test_forward_to_a_deleted_message_returns_to_the_list(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    person.wait_until_live()
    one = cloud.publish(b"expires meanwhile")
    person.see(one)
    person.row(one).click()
    person.page.wait_for_selector("#drawer .detail")
    person.page.go_back()
    person.page.wait_for_selector("#drawer", state="hidden")
    cloud.firestore().collection("messages").document(document_id(cloud["subscription"], one)).delete()
    person.page.go_forward()
    person.see_notice("This message does not exist.")
    person.page.wait_for_selector("#drawer", state="hidden")
    assert person.page.url.endswith("/messages")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_works_on_a_phone(visit: Visit, cloud: Cloud, scheme: str) -> None:
    ana = visit(viewport=PHONE, color_scheme=scheme, has_touch=True)
    ana.wait_until_live()
    one = cloud.publish(b"x" * 600, attribute="v" * 300)
    ana.see(one)
    ana.page.wait_for_timeout(200)
    assert ana.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "the page is too wide"
    assert not small_targets(ana.page, 44)
    ana.row(one).tap()
    ana.page.wait_for_selector("#drawer .detail")
    box = ana.page.locator("#drawer").bounding_box()
    assert box
    assert (box["width"], box["height"]) == (PHONE["width"], PHONE["height"])
    assert ana.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert not small_targets(ana.page, 44)
    ana.page.tap("[data-close]")
    ana.page.wait_for_selector("#drawer", state="hidden")


def test_controls_are_large_enough_on_a_desk(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    fill(person, cloud, 2)
    assert not small_targets(person.page, 24)


def test_colours_follow_the_system_or_the_choice(visit: Visit) -> None:
    ana = visit(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = ana.page.evaluate(ground)
    ana.page.click(".menu summary")
    ana.page.click('[data-theme-choice="light"]')
    light = ana.page.evaluate(ground)
    assert dark != light
    ana.page.reload()
    assert ana.page.evaluate(ground) == light
    assert int(re.findall(r"\d+", light)[0]) > int(re.findall(r"\d+", dark)[0])
