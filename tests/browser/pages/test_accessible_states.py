"""axe-core finds no violation in the states of pages: dialogs, menus, views, results of forms."""

import base64
import gzip
from collections.abc import Callable

import pytest

from infra.messages.message import document_id
from tests.support.browser.axe import OPEN_MENU, violations
from tests.support.browser.person import Person, Visit
from tests.support.browser.sizes import DESKTOP, PHONE
from tests.support.local_cloud import Cloud, StartCloud

TABLET = {"width": 768, "height": 1024}
SIZES = [DESKTOP, TABLET, PHONE]
NESTED = b'{"a": {"list": [1, {"deep": true}]}, "b": null, "a": 2}'
PACKED = base64.b64encode(gzip.compress(NESTED, mtime=0))
Step = Callable[[Person], None]


def stop_dialog(ana: Person) -> None:
    ana.open("/messages")
    ana.wait_until_live()
    ana.page.click("button.stop")
    ana.page.wait_for_selector("#confirm-stop[open]")


def keys_dialog(ana: Person) -> None:
    ana.open("/messages")
    ana.wait_until_live()
    ana.page.keyboard.press("?")
    ana.page.wait_for_selector("#keys[open]")


def question(ana: Person) -> None:
    ana.open("/users")
    ana.page.click(f'tr[data-user="{ana.cloud["admin_user"]}"] button:text-is("Remove")')
    ana.page.wait_for_selector("#confirm[open]")


def question_without_scripts(ana: Person) -> None:
    ana.open("/messages")
    ana.page.evaluate("document.querySelector('form[data-action=stop]').submit()")
    ana.page.wait_for_selector('.card-page button:text-is("Stop for everyone")')


def arrivals(ana: Person) -> None:
    ana.open("/messages")
    ana.wait_until_live()
    ana.page.keyboard.press("Space")
    ana.cloud.publish(b"arrives while paused")
    ana.page.wait_for_selector("#arrivals:visible")


def publish_problem(ana: Person) -> None:
    ana.open("/publish")
    ana.page.fill("#data", "text")
    ana.page.locator('.pair input[name="name"]').first.fill("goog-wrong")
    ana.page.click('main button:text-is("Publish")')
    ana.page.wait_for_selector("#problem-attributes")


def sent(ana: Person) -> None:
    ana.open("/publish")
    ana.page.fill("#data", "followed")
    ana.page.click('main button:text-is("Publish")')
    ana.page.wait_for_selector('a:text-is("It is here")')


def republish(ana: Person) -> None:
    ana.open("/republish?q=replay%3Dme")
    ana.page.wait_for_selector('h1:has-text("Republish")')


def republished(ana: Person) -> None:
    republish(ana)
    ana.page.click("main form button >> nth=0")
    ana.page.wait_for_selector('h1:text-is("Republished")')


STATES: dict[str, Step] = {
    one.__name__: one
    for one in (
        stop_dialog,
        keys_dialog,
        question,
        question_without_scripts,
        arrivals,
        publish_problem,
        sent,
        republish,
        republished,
    )
}


def view_of(name: str, message_id: str) -> Step:
    """Open a view on the page of a message."""

    def step(ana: Person) -> None:
        ana.open(f"/messages/{document_id(ana.cloud['subscription'], message_id)}?view={name}")
        ana.page.wait_for_selector(f'a[data-view="{name}"][aria-current]')

    return step


@pytest.mark.parametrize("size", SIZES, ids=["desk", "tablet", "phone"])
def test_every_state_of_a_page_is_accessible(visit: Visit, cloud: Cloud, size: dict[str, int]) -> None:
    ana = visit(viewport=size)
    nested, packed = cloud.publish(NESTED, replay="me"), cloud.publish(PACKED)
    ana.see(packed)
    views = {name: view_of(name, nested) for name in ("tree", "raw", "hex")} | {"decoded": view_of("decoded", packed)}
    found: dict[str, list[str]] = {}
    for name, step in (STATES | views).items():
        step(ana)
        if wrong := violations(ana.page):
            found[name] = wrong
    assert not found, "\n".join(f"{name}: {line}" for name, lines in found.items() for line in lines)


@pytest.mark.parametrize("size", SIZES, ids=["desk", "tablet", "phone"])
def test_shortest_attributes_are_large_enough_to_click(visit: Visit, cloud: Cloud, size: dict[str, int]) -> None:
    ana = visit(viewport=size)
    message = cloud.publish(b"short", a="1", i="i", empty="", team="l")
    ana.see(message)
    assert not violations(ana.page)
    ana.open_message(message)
    assert not violations(ana.page)


@pytest.mark.parametrize("size", SIZES, ids=["desk", "tablet", "phone"])
def test_every_open_menu_is_accessible(visit: Visit, cloud: Cloud, size: dict[str, int]) -> None:
    ana = visit(viewport=size)
    for menu in ana.page.locator("details.menu").all():
        menu.locator("summary").click()
        assert not violations(ana.page, within=OPEN_MENU)
        menu.locator("summary").click()


@pytest.mark.parametrize("size", SIZES, ids=["desk", "tablet", "phone"])
def test_sign_in_and_errors_are_accessible(visit: Visit, cloud: Cloud, size: dict[str, int]) -> None:
    ana = visit(viewport=size)
    for path in ("/nowhere", "/messages?before=wrong", "/messages?subscription=wrong"):
        ana.open(path)
        assert not violations(ana.page)
    ana.open("/publish")
    ana.context.clear_cookies()
    ana.page.evaluate("document.getElementById('publish').submit()")
    ana.page.wait_for_selector('.problem:has-text("You are signed out")')
    assert not violations(ana.page)
    with ana.page.expect_navigation():
        ana.page.evaluate("location.href = '/login?notice=out'")
    ana.page.wait_for_selector(".good")
    assert not violations(ana.page)
    ana.page.fill("input[name=username]", "nobody")
    ana.page.fill("input[name=password]", "wrong password")
    ana.page.click("main button[type=submit]")
    ana.page.wait_for_selector(".problem")
    assert not violations(ana.page)


def test_first_steps_are_accessible(visit: Visit, own_cloud: StartCloud) -> None:
    new = own_cloud()
    for size in SIZES:
        ana = visit(cloud=new, viewport=size)
        ana.page.wait_for_selector(".first-steps")
        assert not violations(ana.page)
