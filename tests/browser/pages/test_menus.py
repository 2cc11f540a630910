"""Menus open and close as people expect, one at a time."""

from tests.support.browser.actions import fill
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud


def opened(person: Person) -> list[str]:
    """Return the labels of the open menus' buttons."""
    return person.page.locator("details.menu[open] > summary").all_inner_texts()


def test_click_elsewhere_closes_a_menu(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    fill(ana, cloud, 1)
    ana.page.click("details.take > summary")
    assert opened(ana) == ["Export"]
    ana.page.click(".timeline-words")
    assert not opened(ana)


def test_one_menu_is_open_at_a_time(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    fill(ana, cloud, 1)
    for menu in ("details.saved", "details.choose", "details.take"):
        ana.page.click(f"{menu} > summary")
        assert len(opened(ana)) == 1
    ana.page.focus("#q")
    assert not opened(ana)


def test_menu_stays_open_while_used(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    fill(ana, cloud, 1)
    ana.page.click("details.choose > summary")
    ana.page.fill("#more-columns", "type")
    ana.page.click("details.choose legend")
    assert len(opened(ana)) == 1


def test_escape_closes_only_the_menu(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    fill(ana, cloud, 1)
    ana.page.locator("tr.message a.preview").first.click()
    ana.page.wait_for_selector("#drawer .detail")
    ana.page.click(".top-bar details.menu > summary")
    ana.page.keyboard.press("Escape")
    assert not opened(ana)
    assert ana.page.locator("#drawer .detail").is_visible()
    assert ana.page.evaluate("document.activeElement.matches('.top-bar details.menu > summary')")
    ana.page.keyboard.press("Escape")
    ana.page.locator("#drawer").wait_for(state="hidden")


def test_export_closes_its_menu(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    fill(ana, cloud, 1)
    ana.page.click("details.take > summary")
    with ana.page.expect_download():
        ana.page.click('.take a:text-is("Export as CSV")')
    assert not opened(ana)
