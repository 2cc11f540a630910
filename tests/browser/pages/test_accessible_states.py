"""axe-core finds no violation in the states of pages: dialogs, menus, views, results of forms."""

import base64
import gzip
from collections.abc import Callable
from uuid import uuid4

from infra.messages.message import document_id
from tests.support.browser.axe import OPEN_MENU, violations_at_both_sizes
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud

NESTED = b'{"a": {"list": [1, {"deep": true}]}, "b": null, "a": 2}'
PACKED = base64.b64encode(gzip.compress(NESTED, mtime=0))
Step = Callable[[Person], None]


def stop_dialog(person: Person) -> None:
    person.open("/messages")
    person.wait_until_live()
    person.page.click("button.stop")
    person.page.wait_for_selector("#confirm-stop[open]")


def keys_dialog(person: Person) -> None:
    person.open("/messages")
    person.wait_until_live()
    person.page.keyboard.press("?")
    person.page.wait_for_selector("#keys[open]")


def question(person: Person) -> None:
    person.open("/users")
    person.page.click(f'tr[data-user="{person.cloud["admin_user"]}"] button:text-is("Remove")')
    person.page.wait_for_selector("#confirm[open]")


def question_without_scripts(person: Person) -> None:
    person.open("/messages")
    person.page.evaluate("document.querySelector('form[data-action=stop]').submit()")
    person.page.wait_for_selector('.card-page button:text-is("Stop for everyone")')


def arrivals(person: Person) -> None:
    person.open("/messages")
    person.wait_until_live()
    person.page.keyboard.press("Space")
    person.cloud.publish(b"arrives while paused")
    person.page.wait_for_selector("#arrivals:visible")


def publish_problem(person: Person) -> None:
    person.open("/publish")
    person.page.fill("#data", "text")
    person.page.locator('.pair input[name="name"]').first.fill("goog-wrong")
    person.page.click('main button:text-is("Publish")')
    person.page.wait_for_selector("#problem-attributes")


def sent(person: Person) -> None:
    person.open("/publish")
    person.page.fill("#data", "followed")
    person.page.click('main button:text-is("Publish")')
    person.page.wait_for_selector('a:text-is("It is here")')


def republish(person: Person) -> None:
    person.open("/republish?q=replay%3Dme")
    person.page.wait_for_selector('h1:has-text("Republish")')


def republished(person: Person) -> None:
    republish(person)
    person.page.click("main form button >> nth=0")
    person.page.wait_for_selector('h1:text-is("Republished")')


# Each state with the part of the page that it changes: the list itself is checked once, and fifty rows cost a second.
STATES: dict[Step, str] = {
    stop_dialog: "#confirm-stop",
    keys_dialog: "#keys",
    question: "#confirm",
    question_without_scripts: "body",
    arrivals: "#arrivals",
    publish_problem: "body",
    sent: "body",
    republish: "body",
    republished: "body",
}
VIEWS = ("tree", "raw", "hex", "decoded")


def view_of(name: str, message_id: str) -> Step:
    """Open a view on the page of a message."""

    def step(person: Person) -> None:
        person.open(f"/messages/{document_id(person.cloud['subscription'], message_id)}?view={name}")
        person.page.wait_for_selector(f'a[data-view="{name}"][aria-current]')

    return step


def test_every_state_of_a_page_is_accessible(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    nested, packed = cloud.publish(NESTED, replay="me"), cloud.publish(PACKED)
    person.see(packed)
    views = {view_of(name, packed if name == "decoded" else nested): "#reader" for name in VIEWS}
    found = []
    for step, changed in (STATES | views).items():
        step(person)
        found += violations_at_both_sizes(person.page, within=changed)
    assert not found, "\n".join(found)


def test_shortest_attributes_are_large_enough_to_click(person: Person, cloud: Cloud) -> None:
    message = cloud.publish(b"short", a="1", i="i", empty="", team=(team := uuid4().hex))
    person.open(f"/messages?q=team%3D{team}")
    person.see(message)
    assert not violations_at_both_sizes(person.page)
    person.open_message(message)
    assert not violations_at_both_sizes(person.page)


def test_every_open_menu_is_accessible(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    cloud.publish(b'{"user": {"id": 7}}', team=team)
    person = visit(at=f"/messages?q=team%3D{team}")  # one message: its attributes are the columns of the menu
    person.page.wait_for_selector("tr.message")
    for menu in person.page.locator("details.menu").all():
        menu.locator("summary").click()
        assert not violations_at_both_sizes(person.page, within=OPEN_MENU)
        menu.locator("summary").click()


def test_sign_in_and_errors_are_accessible(visit: Visit, cloud: Cloud) -> None:
    person = visit()
    for path in ("/nowhere", "/messages?before=wrong", "/messages?subscription=wrong"):
        person.open(path)
        assert not violations_at_both_sizes(person.page)
    person.open("/publish")
    person.context.clear_cookies()
    person.page.evaluate("document.getElementById('publish').submit()")
    person.page.wait_for_selector('.problem:has-text("You are signed out")')
    assert not violations_at_both_sizes(person.page)
    with person.page.expect_navigation():
        person.page.evaluate("location.href = '/login?notice=out'")
    person.page.wait_for_selector(".good")
    assert not violations_at_both_sizes(person.page)
    person.page.fill("input[name=username]", "nobody")
    person.page.fill("input[name=password]", "wrong password")
    person.page.click("main button[type=submit]")
    person.page.wait_for_selector(".problem")
    assert not violations_at_both_sizes(person.page)
