"""Payloads in the browser: every payload is shown safely and downloaded byte for byte."""

import os

import pytest

from infra.messages.message import document_id
from tests.support.browser.hostile import HOSTILE
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud

PAYLOADS = {
    "text": b"plain\r\ntext\n",
    "not UTF-8": b"\xff\xfe\x00\x80" * 20,
    "empty": b"",
    "almost JSON": b'{"a": 1,',
    "duplicate keys": b'{"b": 1.0, "a": 12345678901234567890, "b": null}',
    "markup": HOSTILE.encode(),
    "markup in JSON": b'{"</script><script>alert(1)</script>": "<img src=x onerror=alert(1)>"}',
    "controls": "\u202eevil\u0000\u200b\ufeff".encode(),
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_every_payload_is_shown_and_saved(person: Person, cloud: Cloud, payload: bytes) -> None:
    person.open("/messages")
    person.wait_until_live()
    # Pub/Sub refuses a message with neither data nor attributes.
    one = cloud.publish(payload, of="payload")
    person.see(one)
    person.row(one).click()
    person.page.wait_for_selector("#drawer .detail")
    assert person.page.url.endswith(f"/messages/{document_id(cloud['subscription'], one)}")
    assert person.download(one) == payload
    person.open_message(one)
    for view in person.page.locator("a[data-view]").all():
        view.click()
        person.page.wait_for_selector(f'a[data-view="{view.get_attribute("data-view")}"][aria-current]')


def test_ten_megabytes_are_cut_in_the_page_and_complete_in_the_download(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    payload = os.urandom(9_900_000)
    one = cloud.publish(payload)
    ana.see(one, seconds=20)
    ana.row(one).click()
    ana.page.wait_for_selector('#drawer .payload-note:has-text("The first 8.0 kB of 9.9 MB are shown")')
    assert ana.download(one) == payload


def test_markup_in_every_field_stays_text(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    rows, pages = [], []
    for text in ("harmless", HOSTILE):
        # Attributes and ordering key are the fields a publisher chooses, with the payload.
        one = cloud.publisher().publish(cloud.topic_path, text.encode(), **{text: text}).result(timeout=10)
        ana.see(one)
        document = document_id(cloud["subscription"], one)
        cloud.firestore().collection("messages").document(document).update({"ordering_key": text, "deliveries": 2})
        ana.row(one).locator(".twice").wait_for()
        rows.append(ana.skeleton(f'tr.message[data-id="{document}"]'))
        ana.row(one).click()
        ana.page.wait_for_selector("#drawer .detail")
        pages.append(ana.skeleton("#drawer"))
        ana.page.keyboard.press("Escape")
        ana.page.wait_for_selector("#drawer", state="hidden")
    assert rows[0] == rows[1]
    assert pages[0] == pages[1]
    assert ana.page.locator("tr.message script, .detail script, tr.message img, .detail img").count() == 0


def test_json_is_shown_as_it_was_sent(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    one = cloud.publish(PAYLOADS["duplicate keys"])
    ana.page.reload()
    ana.see(one)
    ana.open_message(one)
    shown = ana.page.locator("pre.code").inner_text()
    assert shown == '{\n  "b": 1.0,\n  "a": 12345678901234567890,\n  "b": null\n}'


def test_times_are_utc_or_local_by_choice(visit: Visit, cloud: Cloud) -> None:
    ana = visit(timezone_id="Asia/Kolkata")
    ana.wait_until_live()
    one = cloud.publish(b"what time is it")
    ana.see(one)
    clock = ana.row(one).locator(".clock")
    utc = clock.inner_text()
    ana.page.click('[data-zone="local"]')
    hours, minutes = (int(part) for part in utc.split(":")[:2])
    local = (hours * 60 + minutes + 330) % 1440
    assert clock.inner_text() == f"{local // 60:02d}:{local % 60:02d}:{utc.split(':')[2]}"
    another = cloud.publish(b"and now")
    ana.see(another)
    assert ana.row(another).locator(".clock").inner_text()[:2] == f"{local // 60:02d}"
    ana.page.reload()
    assert clock.inner_text() != utc, "the choice is remembered"
    ana.page.click('[data-zone="utc"]')
    assert clock.inner_text() == utc
