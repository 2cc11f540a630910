"""axe-core finds nothing to complain about on any page, light and dark, desktop and phone."""

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from infra.messages.message import document_id
from tests.browser.conftest import Visit
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from playwright.sync_api import Page

# WCAG 2.0 to 2.2, levels A and AA.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"runOnly": ["color-contrast"]}
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
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


# What an open menu half covers is no target meanwhile: the page around it is looked at with all menus closed.
OPEN_MENU = "details.menu[open]"


def violations(page: "Page", within: str | None = None) -> list[str]:
    """What axe-core says of the page, or of what a selector names, light and dark: a line for each kind."""
    light = Axe().run(page, context=within, options=RULES).response["violations"]
    # The dark page differs in its colours alone. From here on none is caught on its way to another, not even in a menu
    # that is opened later.
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    dark = page.evaluate("([within, rules]) => axe.run(within ?? document, rules)", [within, COLOURS])["violations"]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return [f"{name}: {_told(one)}" for name, found in (("light", light), ("dark", dark)) for one in found]


def _told(violation: dict[str, Any]) -> str:
    examples = [f"{node['html'][:160]} ({node['failureSummary']})" for node in violation["nodes"]][:3]
    return f"{violation['id']}: {examples}"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_breaks_a_rule(visit: Visit, cloud: Cloud, size: dict[str, int]) -> None:
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


def test_signing_in_breaks_no_rule(visit: Visit) -> None:
    ana = visit()
    ana.context.clear_cookies()
    ana.open("/login")
    assert not violations(ana.page)
