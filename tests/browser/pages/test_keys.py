"""Shortcuts: each key of the table does what the table says, and no other key is bound."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from infra.messages.message import document_id
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud
from web.help import SHORTCUTS

PAGES = ("/messages", "/publish", "/users", "/sessions", "/audit", "/rejections", "/help")
Watching = tuple[Person, str]


@pytest.fixture
def watching(visit: Visit, cloud: Cloud) -> Watching:
    """A person on the list, and the newest message, which has the focus."""
    ana = visit(permissions=["clipboard-read", "clipboard-write"])
    ana.wait_until_live()
    for _ in range(2):
        newest = cloud.publish(uuid4().hex.encode())
        ana.see(newest)
    return ana, document_id(cloud["subscription"], newest)


def pause(person: Person, _: str) -> None:
    person.page.keyboard.press("Space")
    assert person.page.locator("#pause").get_attribute("aria-pressed") == "true"
    person.page.keyboard.press("Space")
    assert person.page.locator("#pause").get_attribute("aria-pressed") == "false"


def move(person: Person, document: str) -> None:
    for key, row in (("j", 0), ("j", 1), ("k", 0)):
        person.page.keyboard.press(key)
        assert person.page.locator("tr.selected").get_attribute("data-id") == person.rows()[row]
    assert person.rows()[0] == document


def open_and_close(person: Person, document: str) -> None:
    person.page.keyboard.press("j")
    person.page.keyboard.press("Enter")
    person.page.wait_for_selector(f'#drawer [data-id="{document}"]')
    person.page.keyboard.press("Escape")
    person.page.wait_for_selector("#drawer", state="hidden")
    person.open(f"/messages/{document}")
    person.page.keyboard.press("Escape")
    person.page.wait_for_url("**/messages")


def copy(person: Person, document: str) -> None:
    link = f"{person.cloud['viewer']}/messages/{document}"
    person.page.keyboard.press("j")
    person.page.keyboard.press("c")
    person.see_notice("The link copied")
    assert person.page.evaluate("navigator.clipboard.readText()") == link


def newest(person: Person, document: str) -> None:
    person.open("/messages?before=1-" + "0" * 32)
    assert not person.rows()
    person.page.keyboard.press(".")
    person.page.wait_for_selector(f'tr.message[data-id="{document}"]')


def search(person: Person, _: str) -> None:
    person.page.keyboard.press("/")
    assert person.page.evaluate("document.activeElement.id") == "q"


def publish(person: Person, _: str) -> None:
    person.page.keyboard.press("p")
    person.page.wait_for_url("**/publish")


def differences(person: Person, _: str) -> None:
    newer, older = person.rows()[:2]
    person.open(f"/compare?a={older}&b={newer}")
    for key in ("n", "p"):
        person.page.keyboard.press(key)
        assert person.page.evaluate("'difference' in document.activeElement.dataset")
    assert "/compare?" in person.page.url


def help_page(person: Person, _: str) -> None:
    for path in PAGES:
        person.open(path)
        person.page.keyboard.press("?")
        assert person.page.locator("#keys").is_visible(), f"no help on {path}"
        person.page.keyboard.press("Escape")
        assert not person.page.locator("#keys").is_visible()


PRESSED: dict[str, Callable[[Person, str], None]] = {
    " ": pause,
    "j": move,
    "k": move,
    "Enter": open_and_close,
    "Escape": open_and_close,
    "c": copy,
    ".": newest,
    "/": search,
    "p": publish,
    "n": differences,
    "?": help_page,
}


def test_every_key_of_the_table_is_tested() -> None:
    assert set(PRESSED) == {one.key for one in SHORTCUTS}


@pytest.mark.parametrize("press", dict.fromkeys(PRESSED.values()), ids=lambda press: press.__name__)
def test_key_does_what_the_table_says(watching: Watching, press: Callable[[Person, str], None]) -> None:
    press(*watching)


def test_single_character_keys_can_be_turned_off(watching: Watching) -> None:
    ana, document = watching
    ana.page.keyboard.press("?")
    ana.page.locator("#keys").get_by_label("Keys of one character").uncheck()
    ana.page.keyboard.press("Escape")
    # The check box keeps the focus until the next frame, and the space bar would toggle it.
    # (A function, because the page's policy forbids evaluating an expression again for each check.)
    ana.page.wait_for_function("() => document.activeElement === document.body")
    for _ in ("at once", "remembered"):
        for one in SHORTCUTS:
            if len(one.key) == 1:
                ana.page.keyboard.press(one.key)
        assert ana.page.evaluate("document.activeElement.id") != "q"
        assert ana.page.locator("#pause").get_attribute("aria-pressed") == "false"
        assert not ana.page.locator("#pause kbd").is_visible()
        assert not ana.page.locator("tr.selected, dialog[open], .notice").count()
        assert ana.page.url.endswith("/messages")
        ana.page.reload()
        ana.wait_until_live()
    ana.page.locator(f'tr[data-id="{document}"] a.preview').focus()
    ana.page.keyboard.press("Enter")
    ana.page.wait_for_selector(f'#drawer [data-id="{document}"]')
    ana.page.keyboard.press("Escape")
    ana.page.wait_for_selector("#drawer", state="hidden")
    ana.page.click("#keys-button")
    assert not ana.page.locator("#keys").get_by_label("Keys of one character").is_checked()


def test_single_character_keys_can_be_turned_on_again(watching: Watching) -> None:
    ana, document = watching
    ana.open("/help")
    choice = ana.page.locator("main").get_by_label("Keys of one character")
    choice.uncheck()
    ana.page.keyboard.press("p")
    ana.open(f"/messages/{document}")
    ana.page.keyboard.press("?")
    assert not ana.page.locator("#keys").is_visible()
    ana.open("/help")
    assert not choice.is_checked()
    choice.check()
    choice.blur()
    ana.page.keyboard.press("?")
    assert ana.page.locator("#keys").get_by_label("Keys of one character").is_checked()
    ana.page.keyboard.press("Escape")
    ana.page.keyboard.press("p")
    ana.page.wait_for_url("**/publish")


def test_help_page_explains_keys_and_switches(visit: Visit) -> None:
    ana = visit(java_script_enabled=False)
    ana.page.click(".menu summary")
    ana.page.click('a:text-is("Help and keys")')
    shown = ana.page.locator("main").inner_text()
    for one in SHORTCUTS:
        assert one.meaning in shown
    assert "Only your page holds still" in shown
    assert "Messages wait in Pub/Sub" in shown
