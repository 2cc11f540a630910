"""Columns: chosen in a menu, kept in the address, filled in old and new rows, shown below the row on a phone."""

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from tests.support.browser.actions import publish
from tests.support.browser.axe import OPEN_MENU, violations
from tests.support.browser.person import Person, Visit
from tests.support.browser.sizes import DESKTOP, PHONE
from tests.support.local_cloud import Cloud


def columns_of(person: Person) -> list[str]:
    return parse_qs(urlsplit(person.page.url).query).get("columns", [])


def cells_of(person: Person, message_id: str) -> list[str]:
    return person.row(message_id).locator("td.column").all_text_contents()


def test_chosen_columns_are_in_the_address_and_in_new_rows(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    before = publish(cloud, team, "FAILED")
    ana, ben = visit(), visit()
    ana.see(before)
    ana.open(f"/messages?q=team%3D{team}")
    ana.page.click(".choose > summary")
    for name in ("status", "data.user.id"):
        ana.page.locator("#choose label", has_text=name).first.click()
    ana.page.click('button:text-is("Show columns")')
    ana.page.wait_for_url("**columns=*")
    assert sorted(columns_of(ana)[0].split(",")) == ["data.user.id", "status"]
    heads = ana.page.locator("th.column").all_text_contents()
    expected = {"status": "FAILED", "data.user.id": "42"}
    assert cells_of(ana, before) == [expected[name] for name in heads]
    ben.open(ana.page.url.removeprefix(cloud["viewer"]))
    for person in (ana, ben):
        person.wait_until_live()
    after = publish(cloud, team, "FAILED")
    for person in (ana, ben):
        person.see(after)
        assert cells_of(person, after) == cells_of(person, before)
    ana.row(after).locator('.chip:has-text("FAILED")').click()
    ana.page.wait_for_url("**status%3DFAILED*")
    assert columns_of(ana) == columns_of(ben), "a new filter keeps the columns"


def test_ninth_column_cannot_be_chosen(visit: Visit, cloud: Cloud) -> None:
    names = {f"name{number}": "x" for number in range(9)}
    team = uuid4().hex
    one = cloud.publish(b"many", team=team, **names)
    ana = visit()
    ana.see(one)
    ana.open(f"/messages?q=team%3D{team}")
    ana.page.click(".choose > summary")
    boxes = ana.page.locator("#choose input[type=checkbox]")
    for number in range(8):
        boxes.nth(number).check()
    assert boxes.nth(8).is_disabled()
    boxes.nth(0).uncheck()
    assert boxes.nth(8).is_enabled()


def test_page_works_without_javascript(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    one = publish(cloud, team, "FAILED")
    ana = visit(java_script_enabled=False)
    for _ in range(50):
        ana.open(f"/messages?q=team%3D{team}")
        if ana.row(one).count():
            break
        ana.page.wait_for_timeout(100)
    ana.page.click(".choose > summary")
    ana.page.locator("#choose label", has_text="status").click()
    ana.page.fill("#more-columns", "data.user.id")
    ana.page.click('button:text-is("Show columns")')
    assert columns_of(ana) == ["status,data.user.id"]
    assert cells_of(ana, one) == ["FAILED", "42"]


def test_hostile_names_and_values_stay_text(visit: Visit, cloud: Cloud) -> None:
    name = uuid4().hex
    hostile = f"{name}</td><script>alert(1)</script>\"',=~:\\"
    one = cloud.publisher().publish(cloud.topic_path, b"hostile", **{hostile: hostile}).result(timeout=10)
    ana = visit()
    ana.see(one)
    ana.page.reload()
    ana.page.click(".choose > summary")
    ana.page.locator("#choose label", has_text=name).click()
    ana.page.click('button:text-is("Show columns")')
    ana.page.wait_for_url("**columns=*")
    assert name in (ana.row(one).locator("td.column").get_attribute("title") or "")
    assert not ana.page.locator("main script").count()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_page_is_accessible_and_fits_the_width(visit: Visit, cloud: Cloud, size: dict[str, int]) -> None:
    team = uuid4().hex
    one = cloud.publish(b'{"user": {"id": "' + b"x" * 400 + b'"}}', team=team, status="FAILED")
    ana = visit(viewport=size)
    ana.see(one)
    ana.open(f"/messages?q=team%3D{team}&columns=status,data.user.id,team,nothing")
    cell = ana.row(one).locator("td.column").first
    assert cell.is_visible()
    if size == PHONE:
        preview, below = ana.row(one).locator("td.what").bounding_box(), cell.bounding_box()
        assert preview
        assert below
        assert below["y"] >= preview["y"] + preview["height"] - 1, "the columns are not below the message"
    assert ana.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert not violations(ana.page)
    ana.page.click(".choose > summary")
    assert not violations(ana.page, within=OPEN_MENU)
