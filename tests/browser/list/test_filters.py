"""Saved filters: saved once and offered to all; one is the default, and one click shows all messages."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.browser.actions import filter_of, publish
from tests.support.browser.axe import OPEN_MENU, violations
from tests.support.browser.person import Person, Visit
from tests.support.browser.sizes import DESKTOP, PHONE
from tests.support.local_cloud import Cloud

HOSTILE = "</a><script>alert(1)</script>\"'`${1}{{7*7}}"


@pytest.fixture(autouse=True)
def none_left(cloud: Cloud) -> Iterator[None]:
    """A cloud of this module only, because a default filter would affect other tests."""
    yield
    for one in cloud.firestore().collection("filters").stream():
        one.reference.delete()


def save(person: Person, name: str) -> None:
    """Save the list's filter through its menu."""
    person.page.click(".saved > summary")
    person.page.click('.saved a:text-is("Save this filter…")')
    person.page.fill("#new-name", name)
    person.page.click('button:text-is("Save for everyone")')
    person.page.wait_for_selector('.page-notice:text-is("The filter is saved, for everyone.")')


def choose(person: Person, name: str) -> None:
    person.page.click(".saved > summary")
    person.page.locator(".saved a", has_text=name).click()


def make_default(person: Person, name: str) -> None:
    person.open("/filters")
    person.page.get_by_role("button", name=f"Make the default: {name}").click()
    person.page.wait_for_selector('.good:text-is("The list opens with this filter now, for everyone.")')


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "plain"])
def test_saved_filter_is_offered_to_others(visit: Visit, cloud: Cloud, has_scripts: bool) -> None:
    team = uuid4().hex
    failed, _ = publish(cloud, team, "FAILED"), publish(cloud, team, "WORKING")
    ana, ben = visit(java_script_enabled=has_scripts), visit(java_script_enabled=has_scripts)
    ana.open(f"/messages?q=team%3D{team}+status%3DFAILED")
    save(ana, f"Failures of {team}")
    assert "The filter is saved" in ana.page.locator(".page-notice").inner_text()
    ben.open("/messages")
    choose(ben, f"Failures of {team}")
    ben.see(failed)
    assert filter_of(ben) == f"team={team} status=FAILED"
    assert f"Failures of {team}" in ben.page.locator(".filtered").inner_text()
    assert len(ben.rows()) == 1


def test_default_filter_is_shown_and_can_be_cleared(person: Person, cloud: Cloud) -> None:
    beat = cloud.publish(b"beat", type=f"heartbeat-{uuid4().hex}")
    order = cloud.publish(b"order", type="order")
    person.open("/messages")
    person.see(order)
    person.open("/messages?q=-type~heartbeat")
    save(person, "Without heartbeats")
    make_default(person, "Without heartbeats")
    person.page.click("a.brand")
    person.wait_until_live()
    assert not person.row(beat).count()
    assert "Without heartbeats default is what this list opens with." in person.page.locator(".filtered").inner_text()
    later = cloud.publish(b"another", type="order")
    person.see(later)
    person.page.click('a:text-is("See everything")')
    person.see(beat)
    person.see(later)
    assert not person.page.locator(".filtered").count()
    person.page.reload()
    person.see(beat)


def test_empty_search_box_shows_all_messages(person: Person, cloud: Cloud) -> None:
    beat = cloud.publish(b"beat", type=f"heartbeat-{uuid4().hex}")
    person.open("/messages")
    person.see(beat)
    person.open("/messages?q=-type~heartbeat")
    save(person, "Without heartbeats")
    make_default(person, "Without heartbeats")
    person.open("/messages")
    person.page.fill("#q", "")
    person.page.press("#q", "Enter")
    person.page.wait_for_url("**/messages?q=")
    person.see(beat)


def test_filter_is_deleted_after_a_confirmation(person: Person, cloud: Cloud) -> None:
    person.open("/messages?q=kind%3Ajson")
    save(person, "JSON")
    person.open("/filters")
    person.page.get_by_role("button", name="Delete JSON").click()
    person.page.click('dialog button:text-is("Cancel")')
    assert person.page.locator("[data-filter-id]").count() == 1
    person.page.get_by_role("button", name="Delete JSON").click()
    person.page.click('dialog button:text-is("Yes")')
    person.page.wait_for_selector('.good:text-is("The filter is deleted, for everyone.")')
    assert not person.page.locator("[data-filter-id]").count()


def test_notice_is_shown_once(person: Person) -> None:
    person.open("/messages?q=kind%3Ajson")
    save(person, "JSON")
    person.wait_until_live()
    assert person.page.url.endswith("/messages?q=kind%3Ajson")
    person.page.reload()
    assert not person.page.locator(".page-notice").count()
    make_default(person, "JSON")
    person.page.wait_for_url("**/filters")


def test_hostile_names_stay_text(person: Person, cloud: Cloud) -> None:
    person.open("/messages?q=kind%3Ajson")
    save(person, HOSTILE)
    person.page.click(".saved > summary")
    assert person.page.locator(".saved-name").inner_text() == HOSTILE
    person.open("/filters")
    assert person.page.locator("[data-filter-id] .name a").inner_text() == HOSTILE
    person.page.locator("[data-filter-id] .btn-outline-danger").click()
    assert HOSTILE in person.page.locator("#confirm h2").inner_text()


def test_invalid_filter_is_reported_beside_the_form(person: Person) -> None:
    person.open("/filters?q=levl%3Ahigh")
    person.page.fill("#new-name", "Wrong")
    person.page.click('button:text-is("Save for everyone")')
    assert "at column 1, levl: is not known" in person.page.locator("#q-problem").inner_text()
    assert person.page.input_value("#new-name") == "Wrong"
    assert person.page.input_value("#new-q") == "levl:high"
    assert not violations(person.page)


def test_keyboard_is_enough(person: Person, cloud: Cloud) -> None:
    person.open("/messages?q=kind%3Ajson")
    save(person, "JSON")
    person.open("/messages?q=")
    person.page.locator(".saved > summary").focus()
    for key in ("Enter", "Tab", "Enter"):
        person.page.keyboard.press(key)
    person.page.wait_for_url("**/messages?q=kind*")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_page_is_accessible_and_fits_the_width(visit: Visit, cloud: Cloud, size: dict[str, int]) -> None:
    team = uuid4().hex
    publish(cloud, team, "WORKING")
    ana = visit(viewport=size, at=f"/messages?q=team%3D{team}")
    # One row: axe takes a second for fifty.
    ana.page.wait_for_selector("tr.message")
    save(ana, "Of one team")
    ana.open("/messages?q=" + "x" * 300)
    save(ana, "W" * 80)
    make_default(ana, "Of one team")
    for path in ("/filters", "/messages"):
        ana.open(path)
        assert not violations(ana.page), path
        if path == "/messages":
            assert len(ana.rows()) == 1
            ana.page.click(".saved > summary")
            assert not violations(ana.page, within=OPEN_MENU)
        assert ana.page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
