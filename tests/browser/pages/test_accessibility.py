"""axe-core finds no violation on any page, light and dark, desktop and phone."""

from typing import TYPE_CHECKING

import pytest

from infra.messages.message import document_id
from tests.support.browser.axe import violations
from tests.support.browser.person import Visit
from tests.support.browser.sizes import DESKTOP, PHONE
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    pass

PAGES = (
    "/messages",
    "/messages?q=kind%3Ajson",
    "/messages?q=nothing-has-this-word",
    "/messages?q=wrong%3Aword",
    "/password",
    "/publish",
    "/republish?q=kind%3Ajson",
    "/users",
    "/sessions",
    "/audit",
    "/rejections",
    "/help",
    "/nowhere",
)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_is_accessible(visit: Visit, cloud: Cloud, size: dict[str, int]) -> None:
    ana = visit(viewport=size)
    shown = cloud.publish(b'{"status": "WORKING", "steps": [1, {"name": "test"}]}', status="WORKING", team="payments")
    ana.see(shown)
    found: dict[str, list[str]] = {}
    for path in (*PAGES, f"/messages/{document_id(cloud['subscription'], shown)}"):
        ana.open(path)
        if wrong := violations(ana.page):
            found[path] = wrong
    ana.open("/messages")
    ana.row(shown).click()
    ana.page.wait_for_selector("pre")
    if wrong := violations(ana.page):
        found["the drawer"] = wrong
    assert not found, "\n".join(f"{path}: {line}" for path, lines in found.items() for line in lines)


def test_sign_in_is_accessible(visit: Visit) -> None:
    ana = visit()
    ana.context.clear_cookies()
    ana.open("/login")
    assert not violations(ana.page)
