"""Two messages compared in the browser: from a message to each difference, without scripts, on a phone, accessibly."""

from uuid import uuid4

from infra.messages.message import document_id
from tests.support.browser.axe import violations_at_both_sizes
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud

OLD = b'{"id": 7, "lines": [{"id": 1, "n": 1}, {"id": 2, "n": 1.0}], "note": "x", "total": 1.0, "a": 1, "b": 2}'
NEW = b'{"total": 1.10, "id": 7, "lines": [{"id": 2, "n": 1.00}, {"id": 3}], "a": 1, "b": 2, "to": "<b>"}'


def published(cloud: Cloud, person: Person) -> str:
    """Publish two messages of one type and return the address of the second one's page."""
    kind = uuid4().hex
    for data in (OLD, NEW):
        newest = cloud.publish(data, type=kind, team="a")
        person.see(newest)
    return f"/messages/{document_id(cloud['subscription'], newest)}"


def test_keys_lead_through_the_differences_and_the_patch_is_copied(visit: Visit, cloud: Cloud) -> None:
    ana = visit(permissions=["clipboard-read", "clipboard-write"])
    ana.wait_until_live()
    ana.open(published(cloud, ana))
    ana.page.click('a:has-text("With the previous of its type")')
    ana.page.wait_for_selector("#compare")
    places = ana.page.locator("[data-difference] .place code").all_inner_texts()
    assert places == ["/lines/0", "/lines/1/n → /lines/0/n", "/lines/1", "/note", "/total", "/to"]
    focused = "document.activeElement.querySelector('.place code')?.textContent"
    for key, expected in (("n", 0), ("n", 1), ("p", 0), ("p", 0)):
        ana.page.keyboard.press(key)
        assert ana.page.evaluate(focused) == places[expected]
    assert "/compare?" in ana.page.url, "p leads to the publish form on other pages"
    ana.page.click('button:text-is("Copy JSON Patch")')
    ana.see_notice("The JSON Patch copied")
    patch = ana.page.evaluate("navigator.clipboard.readText()")
    assert '{"op": "replace", "path": "/total", "value": 1.10}' in patch
    assert not violations_at_both_sizes(ana.page)


def test_comparison_works_without_scripts_and_fits_a_phone(visit: Visit, cloud: Cloud) -> None:
    address = published(cloud, visit())
    bob = visit(java_script_enabled=False, viewport={"width": 390, "height": 844}, at=address)
    bob.page.click('a:has-text("With the previous of its type")')
    old, new = (bob.page.locator(f".difference .{side}").first.bounding_box() for side in ("old", "new"))
    assert old is not None
    assert new is not None
    assert new["y"] >= old["y"] + old["height"], "the sides are stacked"
    widths = bob.page.locator("#main").bounding_box()
    assert widths is not None
    assert widths["width"] <= 390
    bob.page.click("summary >> text=equal")
    assert bob.page.locator(".fold[open] dd").first.is_visible()
    bob.page.go_back()
    bob.page.click('a:text-is("Compare with…")')
    bob.page.locator('a:text-is("Compare")').first.click()
    assert bob.page.locator("h1").inner_text() == "Compare two messages"
