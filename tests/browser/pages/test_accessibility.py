"""axe-core finds no violation on any page, light and dark, desktop and phone."""

from infra.messages.message import document_id
from tests.support.browser.axe import violations_at_both_sizes
from tests.support.browser.person import Visit
from tests.support.local_cloud import Cloud

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
B3 = f"{TRACE}-00f067aa0ba902b7-1"
PAGES = (
    "/messages",
    "/messages?q=team%3Dpayments%20steps",
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
    f"/traces/{TRACE}",
)


def test_every_page_is_accessible(visit: Visit, cloud: Cloud) -> None:
    person = visit()
    shown = cloud.publish(
        b'{"status": "WORKING", "steps": [1, {"name": "test"}]}', status="WORKING", team="payments", b3=B3
    )
    person.see(shown)
    found: dict[str, list[str]] = {}
    for path in (*PAGES, f"/messages/{document_id(cloud['subscription'], shown)}"):
        person.open(path)
        if wrong := violations_at_both_sizes(person.page):
            found[path] = wrong
    person.open("/messages?q=team%3Dpayments%20steps")
    person.row(shown).click()
    person.page.wait_for_selector("pre")
    if wrong := violations_at_both_sizes(person.page):
        found["the drawer"] = wrong
    assert not found, "\n".join(f"{path}: {line}" for path, lines in found.items() for line in lines)


def test_sign_in_is_accessible(visit: Visit) -> None:
    person = visit()
    person.context.clear_cookies()
    person.open("/login")
    assert not violations_at_both_sizes(person.page)
