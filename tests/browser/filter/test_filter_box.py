"""The filter box: suggestions by keyboard and pointer, links with operators, the explanation, and the Stop button."""

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support.browser.axe import OPEN_MENU, violations
from tests.support.browser.person import Person
from tests.support.browser.writing import writer_at
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


@pytest.fixture(scope="module")
def team(cloud: Cloud) -> str:
    """A word that sixty messages have, which are more than a page of the list."""
    word = uuid4().hex
    with writer_at(cloud) as writer:
        data = b'{"total": 150, "note": "%s"}' % word.encode()
        for state in ("PAID", "FAILED"):
            fields = {"team": word, "state": state}
            tokens = [f"{name}={value}" for name, value in fields.items()] + ["data.total=150"]
            writer.messages(30, data=data, preview=data.decode(), kind="json", attributes=fields, tokens=tokens)
    return word


def options(page: "Page") -> list[str]:
    return page.locator("#q-options [role=option]").all_inner_texts()


def test_suggestion_is_taken_by_a_click(person: Person, team: str) -> None:
    page = person.page
    person.open(f"/messages?q=team%3D{team}")
    page.fill("#q", "")
    page.locator("#q").press_sequentially("data.t")
    page.click("#q-options li:text-is('data.total=')")
    page.click("#q-options li:text-is('data.total=150')")
    assert page.input_value("#q") == "data.total=150 "
    assert page.evaluate("document.activeElement.id") == "q"


def test_link_with_operators_opens_an_explained_list(person: Person, team: str) -> None:
    page = person.page
    person.open(f"/messages?q=team%3D{team}+data.total%3E100+%2F%22note%22.*%2F")
    page.click("#older a")
    wait_until(lambda: len(person.rows()) == 60, "the second page")
    page.click(".explain summary")
    rows = page.locator(".explained tbody tr").all_inner_texts()
    assert [row.split("\t")[1] for row in rows] == ["the index", "each message in memory", "each message in memory"]
    assert "60 matched. All that is kept was searched." in page.locator("#statistics").inner_text()
    assert not violations(page, within=OPEN_MENU)


def test_search_is_stopped_and_goes_on(person: Person, team: str) -> None:
    page = person.page
    held: list[Route] = []
    person.open(f"/messages?q=team%3D{team}")
    page.route("**/messages?*before*", lambda route: held.append(route))
    try:
        page.click("#older a")
        page.click('#older button:text-is("Stop search")')
        page.wait_for_selector("#older:not([aria-busy])")
        assert page.locator("#older a").inner_text() == "Search older"
        assert not page.locator(".notice").count()
        assert len(held) == 1
    finally:
        page.unroute("**/messages?*before*")
    page.click("#older a")
    wait_until(lambda: len(person.rows()) == 60, "the rest of the list")
