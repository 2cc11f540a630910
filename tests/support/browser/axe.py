"""Accessibility checks of a page: axe-core and the size of targets."""

from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from tests.support.browser.sizes import DESKTOP, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

# No "cssom": axe would copy imported style sheets into <style> elements, which the pages' policy forbids. Only the
# experimental rule css-orientation-lock reads them, and it is in neither set.
PRELOAD = {"assets": ["media"]}
# Of the elements that pass, axe would write the markup and a selector: half of its time.
QUICK = {"preload": PRELOAD, "resultTypes": ["violations"], "selectors": False}
# WCAG 2.0 to 2.2, levels A and AA.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], **QUICK}
COLOURS = {"runOnly": ["color-contrast"], **QUICK}
# An open menu covers some targets in part. The page around it is checked with all menus closed.
OPEN_MENU = "details.menu[open]"


def violations(page: "Page", within: str | None = None) -> list[str]:
    """Return axe-core's violations in the light and the dark page, or in one element: a line for each rule."""
    found = [f"light: {line}" for line in _violations(page, within, RULES)]
    # The dark page differs in its colours alone. Reduced motion ends all transitions: no colour is measured half-way.
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    dark = _violations(page, within, COLOURS)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return found + [f"dark: {line}" for line in dark]


def violations_at_both_sizes(page: "Page", within: str | None = None) -> list[str]:
    """Return the violations at desktop size, light and dark, and at phone size; then restore the window's size."""
    before = page.viewport_size
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    found = [f"{page.url}, desktop, {line}" for line in violations(page, within)]
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += [f"{page.url}, phone, light: {line}" for line in _violations(page, within, RULES)]
    if before:
        page.set_viewport_size(before)
    return found


def _violations(page: "Page", within: str | None, rules: dict[str, object]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    script = "([within, rules]) => axe.run(within ?? document, rules).then(({ violations }) => violations)"
    return [_described(violation) for violation in page.evaluate(script, [within, rules])]


def _described(violation: dict[str, Any]) -> str:
    examples = [f"{node['html'][:160]} ({node['failureSummary']})" for node in violation["nodes"]][:3]
    return f"{violation['id']}: {examples}"


def small_targets(page: object, least: int) -> list[str]:
    """Return visible controls lower than ``least`` pixels; links inside a sentence are exempt (WCAG 2.5.8).

    The target of a message's link is its whole row.
    """
    script = """least => [...document.querySelectorAll("a, button, summary, select")]
        .filter((one) => one.checkVisibility() && !one.matches("p a, .skip") && one.getBoundingClientRect().bottom > 0)
        .map((one) => one.closest("tr.message") ?? one)
        .filter((one) => Math.round(one.getBoundingClientRect().height) < least)
        .map((one) => `${one.outerHTML.slice(0, 80)} ${one.getBoundingClientRect().height}`)"""
    found: list[str] = page.evaluate(script, least)  # type: ignore[attr-defined]
    return found
