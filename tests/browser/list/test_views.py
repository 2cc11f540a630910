"""The views of one message: folding, decoding, copying, with and without JavaScript."""

import base64
import gzip
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from infra.messages.message import document_id
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Route

NESTED = b'{"b": 1.0, "a": {"list": [1, {"deep": {"deeper": "\\u00e9"}}]}, "b": null}\r\n'
PACKED = base64.b64encode(gzip.compress(b'{"total": 10.50}', mtime=0))


def read(ana: Person, message_id: str) -> None:
    """Open the page of a published message as soon as it is stored."""
    address = f"{ana.cloud['viewer']}/messages/{document_id(ana.cloud['subscription'], message_id)}"
    wait_until(lambda: ana.context.request.get(address).ok, "the stored message")
    ana.open_message(message_id)


def show(ana: Person, view: str) -> None:
    ana.page.click(f'a[data-view="{view}"]')
    ana.page.wait_for_selector(f'a[data-view="{view}"][aria-current]')


def clipboard(ana: Person) -> str:
    found: str = ana.page.evaluate("navigator.clipboard.readText()")
    return found


def test_tree_folds_by_mouse_and_keyboard(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    read(ana, cloud.publish(NESTED))
    show(ana, "tree")
    tree = ana.page.locator(".tree")
    assert tree.locator("details").count() == 5
    assert tree.locator("details[open]").count() == 3
    assert "repeated" in tree.inner_text()
    tree.locator("summary").first.focus()
    ana.page.keyboard.press("Enter")
    assert tree.inner_text().strip() == "{ 3 keys }"
    ana.page.click("[data-fold]")
    assert tree.locator("details[open]").count() == 5
    assert r'"deeper": "\u00e9"' in tree.inner_text()
    ana.page.click("[data-fold]")
    assert tree.locator("details[open]").count() == 1


def test_tree_folds_without_javascript(visit: Visit, cloud: Cloud) -> None:
    ana = visit(java_script_enabled=False)
    read(ana, cloud.publish(NESTED))
    ana.page.click('a[data-view="tree"]')
    ana.page.locator(".tree summary").nth(1).click()
    assert ana.page.locator(".tree details[open]").count() == 2
    assert ana.page.locator("[data-copy]:visible, [data-fold]:visible").count() == 0, "they need a script"


def test_packed_payload_is_decoded_on_request(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    one = cloud.publish(PACKED)
    read(ana, one)
    assert PACKED.decode() in ana.page.locator("pre.code").inner_text()
    show(ana, "decoded")
    assert ana.page.locator("pre.code").inner_text() == '{\n  "total": 10.50\n}'
    assert ana.page.locator(".origin").inner_text() == "base64 (48 B) of gzip (36 B) of JSON (16 B)."
    assert ana.download(one) == PACKED


def test_chosen_view_is_remembered_and_in_the_address(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    first, second, text = cloud.publish(NESTED), cloud.publish(NESTED), cloud.publish(b"plain text")
    ana.see(text)
    ana.row(first).click()
    ana.page.wait_for_selector("#drawer .detail")
    show(ana, "tree")
    ana.page.wait_for_url("**?view=tree")
    ana.page.keyboard.press("Escape")
    ana.page.wait_for_selector("#drawer", state="hidden")
    ana.row(second).click()
    ana.page.wait_for_selector("#drawer .tree")
    ana.open_message(second)
    ana.page.wait_for_selector("#reader .tree")
    ana.open_message(text)
    assert ana.page.locator("a[aria-current]").inner_text() == "Raw", "it has no tree"
    ana.open(f"/messages/{document_id(cloud['subscription'], second)}?view=hex")
    assert ana.page.locator("a[aria-current]").inner_text() == "Hex", "the address says more"


def test_copies_are_exact(visit: Visit, cloud: Cloud) -> None:
    ana = visit(permissions=["clipboard-read", "clipboard-write"])
    value = "a \"quoted\"\tvalue\r\nof 'two' lines <b>"
    one = cloud.publisher().publish(cloud.topic_path, NESTED, colour=value).result(timeout=10)
    read(ana, one)
    for button, wanted in {
        '[data-what="the message id"]': one,
        '[data-what="the value of colour"]': value,
        "[data-copy-link]": ana.page.url,
    }.items():
        ana.page.click(button)
        ana.page.wait_for_function("async wanted => await navigator.clipboard.readText() === wanted", arg=wanted)
    show(ana, "raw")
    ana.page.click("[data-copy-payload]")
    ana.see_notice("The payload, as it was sent, copied.")
    assert clipboard(ana) == NESTED.decode()
    show(ana, "pretty")
    ana.page.click("[data-copy-payload]")
    ana.see_notice("The pretty view copied.")
    assert clipboard(ana).startswith('{\n  "b": 1.0,')
    read(ana, cloud.publisher().publish(cloud.topic_path, b"Z\xfcrich is in Latin-1").result(timeout=10))
    ana.page.click("[data-copy-payload]")
    ana.see_notice("The raw view copied.")
    assert clipboard(ana) == r"Z\xfcrich is in Latin-1"


def test_attribute_links_to_messages_with_the_same_value(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    one = cloud.publisher().publish(cloud.topic_path, b"filter me", shape="odd one").result(timeout=10)
    cloud.publish(b"not me")
    read(ana, one)
    ana.page.click(".attributes-list a")
    ana.page.wait_for_url("**/messages?q=*")
    assert unquote_plus(ana.page.url).endswith('?q=shape="odd one"')
    assert ana.rows() == [document_id(cloud["subscription"], one)]


def test_well_known_message_has_a_summary_in_the_list(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    data = b'{"substitutions": {"REPO_NAME": "gateway"}}'
    one = cloud.publisher().publish(cloud.topic_path, data, buildId="8c7f2b6e", status="WORKING").result(timeout=10)
    ana.see(one)
    assert ana.row(one).locator(".preview .summary").inner_text() == "Build WORKING · gateway"
    assert "REPO_NAME" in (ana.row(one).locator(".preview").get_attribute("title") or "")
    ana.row(one).click()
    ana.page.wait_for_selector('#drawer .summary:text-is("Build WORKING · gateway")')


def test_second_of_two_quick_openings_is_shown(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    slow, quick = cloud.publish(b"the slow one"), cloud.publish(b"the quick one")
    for one in (slow, quick):
        ana.see(one)
    held: list[Route] = []
    detail = f"**/messages/{document_id(cloud['subscription'], slow)}?part=detail*"
    ana.page.route(detail, lambda route: held.append(route))
    ana.row(slow).click()
    wait_until(lambda: ana.page.evaluate("1") and held, "the first request", 5)
    ana.row(quick).click()
    ana.page.wait_for_selector('.drawer pre:has-text("the quick one")')
    held[0].continue_()
    ana.page.wait_for_timeout(500)
    assert "the quick one" in ana.page.locator(".drawer pre").inner_text()
    assert ana.page.url.endswith(document_id(cloud["subscription"], quick))
    assert ana.page.evaluate("document.activeElement.hasAttribute('data-close')"), "the drawer has not got the focus"
