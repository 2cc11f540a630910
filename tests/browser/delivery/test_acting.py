"""Actions: publish and follow, replay, stop with a backlog, manage users; with and without JavaScript."""

import json
import re
from pathlib import Path

import pytest

from infra.messages.message import document_id
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud, StartCloud
from tests.support.waiting import wait_until

HOSTILE = "</textarea><script>alert('x')</script><img src=x onerror=alert(2)>\"'`${1}{{7*7}}"


def fill_in(ana: Person, data: str, **attributes: str) -> None:
    ana.page.fill("#data", data)
    for index, (name, value) in enumerate(attributes.items()):
        if ana.page.locator(".pair").count() <= index:
            ana.page.click("#add-pair")
        ana.page.locator('.pair input[name="name"]').nth(index).fill(name)
        ana.page.locator('.pair textarea[name="value"]').nth(index).fill(value)


def attributes_shown(ana: Person) -> dict[str, str]:
    names = ana.page.locator(".attributes-list dt").all_text_contents()
    values = ana.page.locator(".attributes-list dd a:first-child").all_text_contents()
    return dict(zip(names, values, strict=True))


def looked_again(ana: Person) -> bool:
    """Follow the page's link to check again; return whether the message is stored."""
    if ana.page.locator('a:text-is("It is here")').count():
        return True
    ana.page.click('a:text-is("Look again")')
    return False


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desk", "phone"])
def test_published_message_is_followed_until_stored(visit: Visit, size: tuple[int, int]) -> None:
    ana = visit(viewport={"width": size[0], "height": size[1]})
    ana.page.click('header a:text-is("Publish")')
    many = {f"name-{number}": f"value {number}" for number in range(5)}
    fill_in(ana, '{\n  "hello": "world"\n}', **many)
    ana.page.fill("#ordering_key", "k1")
    ana.page.click('main button:text-is("Publish")')
    ana.page.click('a:text-is("It is here")')
    assert json.loads(ana.page.text_content("pre.code") or "") == {"hello": "world"}
    assert attributes_shown(ana) == many


def test_published_markup_stays_text(person: Person, cloud: Cloud) -> None:
    person.open("/publish")
    fill_in(person, HOSTILE, a=HOSTILE)
    person.page.click('main button:text-is("Publish")')
    person.page.click('a:text-is("It is here")')
    assert person.page.text_content("pre.code") == HOSTILE
    person.page.click('a:text-is("Edit and publish…")')
    assert person.page.input_value("#data") == HOSTILE
    assert person.page.locator('.pair textarea[name="value"]').first.input_value() == HOSTILE
    assert cloud["topic"] in (person.page.text_content("#topic option:checked") or "")


def test_refused_form_keeps_its_text(person: Person) -> None:
    person.open("/publish")
    fill_in(person, "an hour's work\n", **{"goog-team": "payments"})
    person.page.click('main button:text-is("Publish")')
    person.page.wait_for_selector('#problem-attributes:has-text("begins with goog")')
    assert person.page.input_value("#data") == "an hour's work\n"
    person.page.locator('.pair input[name="name"]').first.fill("team")
    person.page.click('main button:text-is("Publish")')
    person.page.wait_for_selector('h1:text-is("Published")')


def sign_in_beside(ana: Person) -> None:
    """Sign in again in another tab."""
    with ana.context.expect_page() as opened:
        ana.page.click('main a:text-is("Sign in in another tab")')
    tab = opened.value
    tab.fill("input[name=username]", ana.cloud["admin_user"])
    tab.fill("input[name=password]", ana.cloud["admin_password"])
    tab.click("main button[type=submit]")
    tab.wait_for_url("**/messages")
    tab.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_expired_session_keeps_the_typed_text(visit: Visit, scripts: bool) -> None:
    ana = visit(java_script_enabled=scripts, at="/publish")
    fill_in(ana, "an hour's work\n", team="payments")
    ana.context.clear_cookies()
    ana.page.click('main button:text-is("Publish")')
    ana.page.wait_for_selector('.problem:has-text("You are signed out")')
    sign_in_beside(ana)
    ana.page.click('main button:text-is("Publish")')
    if not scripts:
        ana.page.wait_for_selector('.problem:has-text("This form is from an earlier sign-in")')
        ana.page.click('main button:text-is("Publish")')
    ana.page.wait_for_selector('h1:text-is("Published")')
    if not scripts:
        wait_until(lambda: looked_again(ana), "the message's arrival")
    ana.page.click('a:text-is("It is here")')
    assert ana.page.text_content("pre.code") == "an hour's work\n"
    assert attributes_shown(ana) == {"team": "payments"}


def test_double_click_publishes_once(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    text = f"twice {document_id('once', cloud['viewer'])}"
    person.open("/publish")
    fill_in(person, text)
    person.page.dblclick('main button:text-is("Publish")')
    person.page.click('a:text-is("It is here")')
    person.open(f'/messages?q="{text}"')
    assert len(person.rows()) == 1


def test_file_is_published_byte_for_byte(person: Person, tmp_path: Path) -> None:
    person.open("/messages")
    payload = bytes(range(256)) * 4000
    (tmp_path / "payload.bin").write_bytes(payload)
    (tmp_path / "large.bin").write_bytes(b"x" * 10_000_001)
    person.open("/publish")
    person.page.set_input_files("#file", tmp_path / "large.bin")
    assert person.page.eval_on_selector("#file", "field => field.validationMessage") == "Pub/Sub accepts at most 10 MB."
    person.page.set_input_files("#file", tmp_path / "payload.bin")
    person.page.click('main button:text-is("Publish")')
    person.page.click('a:text-is("It is here")')
    assert person.context.request.get(f"{person.page.url}/data").body() == payload


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_replay_links_to_its_origin(visit: Visit, cloud: Cloud, scripts: bool) -> None:
    ana = visit(java_script_enabled=scripts)
    one = cloud.publish(b"\xff\x00again", team="payments")
    document = document_id(cloud["subscription"], one)
    address = f"{cloud['viewer']}/messages/{document}"
    wait_until(lambda: ana.page.request.get(address).status == 200, "the message's arrival")
    ana.open(f"/messages/{document}")
    ana.page.click('button:text-is("Republish")')
    ana.page.wait_for_selector('h1:text-is("Published")')
    if not scripts:
        wait_until(lambda: looked_again(ana), "the replay's arrival")
    ana.page.click('a:text-is("It is here")')
    assert attributes_shown(ana) == {"team": "payments", "replayed-from": one, "replayed-by": cloud["admin_user"]}
    assert ana.context.request.get(f"{ana.page.url}/data").body() == b"\xff\x00again"
    replay = ana.page.url.rpartition("/")[2]
    ana.page.click(f'.lineage a:text-is("message {one}")')
    assert ana.page.url.endswith(document)
    assert ana.page.locator(f'.lineage a[href="/messages/{replay}"]').count() == 1


def test_matching_messages_are_replayed_after_a_confirmation(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    person.wait_until_live()
    batch = document_id("batch", cloud.publish(b"first"))
    published = [cloud.publish(b"%d" % number, batch=batch) for number in range(3)]
    for one in published:
        person.see(one)
    person.open(f"/messages?q=batch%3D{batch}")
    person.page.click(".take summary")
    person.page.click('a:text-is("Republish these…")')
    person.page.click('button:text-is("Republish 3")')
    person.page.wait_for_selector('.good:has-text("3 of 3 published to builds.")')
    person.page.click('a:text-is("See them arrive")')
    person.page.wait_for_selector(f'tr.message:has-text("{batch}") >> nth=2')


def test_delivery_strip_shows_the_backlog(visit: Visit, cloud: Cloud) -> None:
    ana, ben = visit(), visit()
    for one in (ana, ben):
        one.wait_until_live()
    ana.switch("stop")
    ben.see_state("STOPPED")
    try:
        for number in range(3):
            cloud.publish(b"waits %d" % number)
        for one in (ana, ben):
            one.page.wait_for_selector('.backlog:has-text("3 waiting, oldest")')
            one.page.wait_for_selector('.backlog:has-text("(as of ")')
    finally:
        ana.switch("start")
    for one in (ana, ben):
        one.see_state("RECEIVING")
        one.page.wait_for_selector('.backlog:has-text("nothing waiting")')


def test_export_equals_the_shown_list(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    person.wait_until_live()
    batch = document_id("export", cloud.publish(b"first"))
    person.see(cloud.publish(b"=1+1", batch=batch))
    person.open(f"/messages?q=batch%3D{batch}")
    person.page.click(".take summary")
    with person.page.expect_download() as csv:
        person.page.click('a:text-is("Export as CSV")')
    assert re.fullmatch(r"messages-\d{8}T\d{6}Z\.csv", csv.value.suggested_filename)
    rows = Path(csv.value.path()).read_text().splitlines()
    assert len(rows) == 2
    assert rows[1].endswith(",'=1+1,")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_admin_adds_and_removes_a_user(visit: Visit, scripts: bool) -> None:
    ana = visit(java_script_enabled=scripts)
    name = f"vera-{'a' if scripts else 'b'}"
    ana.open("/users")
    ana.page.fill("#new-name", name)
    ana.page.click('main button:text-is("Add")')
    password = ana.page.text_content(".secret") or ""
    vera = ana.context.browser.new_context() if ana.context.browser else ana.context
    page = vera.new_page()
    page.goto(f"{ana.cloud['viewer']}/login")
    page.fill("#username", name)
    page.fill("#password", password)
    page.click('main button:text-is("Sign in")')
    page.wait_for_url("**/messages")
    assert page.locator(".take").count() == 0
    ana.page.click(f'tr[data-user="{name}"] button:text-is("Remove")')
    ana.page.click('#confirm button:text-is("Yes")' if scripts else '.card-page button:text-is("Remove")')
    ana.page.wait_for_selector(f'.good:has-text("{name} is removed")')
    page.goto(f"{ana.cloud['viewer']}/messages")
    page.wait_for_url("**/login**")
    vera.close()


def test_cancelled_confirmation_changes_nothing(visit: Visit, own_cloud: StartCloud) -> None:
    ana = visit(cloud=own_cloud())  # a cloud without another admin
    ana.open("/users")
    ana.page.click('tr[data-user="admin"] button:text-is("Remove")')
    ana.page.click('#confirm button:text-is("Cancel")')
    assert ana.page.locator('tr[data-user="admin"]').count() == 1
    ana.page.click('tr[data-user="admin"] button:text-is("Remove")')
    ana.page.click('#confirm button:text-is("Yes")')
    ana.page.wait_for_selector('.problem:has-text("is the last admin")')
