"""Menus open and close as people expect, one at a time."""

from tests.support.browser.actions import fill
from tests.support.browser.person import Person
from tests.support.local_cloud import Cloud


def opened(person: Person) -> list[str]:
    """Return the labels of the open menus' buttons."""
    return person.page.locator("details.menu[open] > summary").all_inner_texts()


def test_click_elsewhere_closes_a_menu(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    fill(person, cloud, 1)
    person.page.click("details.take > summary")
    assert opened(person) == ["Export"]
    person.page.click(".timeline-words")
    assert not opened(person)


def test_one_menu_is_open_at_a_time(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    fill(person, cloud, 1)
    for menu in ("details.saved", "details.choose", "details.take"):
        person.page.click(f"{menu} > summary")
        assert len(opened(person)) == 1
    person.page.focus("#q")
    assert not opened(person)


def test_menu_stays_open_while_used(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    fill(person, cloud, 1)
    person.page.click("details.choose > summary")
    person.page.fill("#more-columns", "type")
    person.page.click("details.choose legend")
    assert len(opened(person)) == 1


def test_escape_closes_only_the_menu(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    fill(person, cloud, 1)
    person.page.locator("tr.message a.preview").first.click()
    person.page.wait_for_selector("#drawer .detail")
    person.page.click(".top-bar details.menu > summary")
    person.page.keyboard.press("Escape")
    assert not opened(person)
    assert person.page.locator("#drawer .detail").is_visible()
    assert person.page.evaluate("document.activeElement.matches('.top-bar details.menu > summary')")
    person.page.keyboard.press("Escape")
    person.page.locator("#drawer").wait_for(state="hidden")


def test_export_closes_its_menu(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    fill(person, cloud, 1)
    person.page.click("details.take > summary")
    with person.page.expect_download():
        person.page.click('.take a:text-is("Export as CSV")')
    assert not opened(person)
