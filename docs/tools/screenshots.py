"""Make the pictures of README.md: ``make screenshots``.

Starts the local cloud as ``make run`` does, publishes sample messages, and drives the machine's Chromium through three
scenes, each light and dark. The messages are spread over the last hour by rewriting ``received_at``, which Firestore
sets: a new cloud would have an empty timeline.
"""

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from infra.local.samples import Build
from infra.messages.message import document_id
from tests.support.browser.person import FLAGS, Person
from tests.support.local_cloud import ROOT, Cloud, start_cloud
from tests.support.waiting import wait_until

IMAGES = ROOT / "docs/images"
VIEWPORT: ViewportSize = {"width": 1180, "height": 660}
BUILDS = 45
SCHEMES = ("light", "dark")
_CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

Sample = tuple[bytes, dict[str, str]]


def main() -> int:
    """Write all pictures; 1 when the machine has no Chromium."""
    executable = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if not executable:
        print("Chromium is not installed (Debian: apt-get install chromium chromium-headless-shell).", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, start_cloud(Path(directory)) as cloud:
        ids = publish(cloud)
        spread_over_an_hour(cloud, ids)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
            for scheme in SCHEMES:
                take(browser, cloud, scheme, ids[-1])
            browser.close()
    return 0


def publish(cloud: Cloud) -> list[str]:
    """Publish the samples, wait until all are stored, and return their message ids, oldest first."""
    samples = list(all_samples())
    ids = [cloud.publish(data, **attributes) for data, attributes in samples]
    stored = cloud.firestore().collection("messages")
    wait_until(lambda: len(stored.select([]).get()) == len(samples), "all sample messages", 60)
    return ids


def all_samples() -> Iterator[Sample]:
    """Builds, and between them messages of other kinds; the order in which they are shown, oldest first."""
    dice, now = random.Random(7), datetime.now(UTC)  # noqa: S311 - the same messages each time, not secrets
    others = list(other_samples())
    for number in range(BUILDS):
        build = Build.invent(dice, now - timedelta(minutes=BUILDS - number))
        yield from ((data, attributes) for _, data, attributes in build.notifications())
        if number >= BUILDS - len(others):
            yield others[number - BUILDS]
    yield order("ord-20417", "payments", 129.9)


def order(number: str, team: str, total: float) -> Sample:
    """An order of a shop, as an application would publish it."""
    body = {
        "id": number,
        "status": "paid",
        "customer": {"id": 8812, "country": "SE", "newsletter": False},
        "items": [{"sku": "CUP-01", "title": "Enamel cup", "count": 2}],
        "total": {"amount": total, "currency": "EUR"},
        "note": None,
    }
    return json.dumps(body).encode(), {"type": "order.paid", "team": team, "region": "europe-north1"}


def other_samples() -> Iterator[Sample]:
    """Messages of well-known kinds, text and bytes."""
    yield order("ord-20415", "payments", 18.5)
    yield b"disk usage of db-2 is 91 %", {"type": "alarm", "severity": "WARNING"}
    storage = {"eventType": "OBJECT_FINALIZE", "bucketId": "invoices", "objectId": "2026/11/ord-20415.pdf"}
    yield json.dumps({"size": "182044", "contentType": "application/pdf"}).encode(), storage
    incident = {"state": "open", "policy_name": "Checkout is slow", "condition_name": "p99 over 1 s", "started_at": 1}
    yield json.dumps({"incident": incident, "version": "1.2"}).encode(), {}
    yield bytes.fromhex("0a0774656e616e742d3112046d61696e18c0c407"), {"type": "usage.v1", "encoding": "protobuf"}
    event = {
        "ce-type": "shop.stock.changed",
        "ce-source": "/warehouse/2",
        "ce-subject": "CUP-01",
        "ce-specversion": "1.0",
    }
    yield json.dumps({"sku": "CUP-01", "left": 12}).encode(), event
    yield b"", {"type": "heartbeat", "host": "worker-4"}
    yield order("ord-20416", "payments", 64.0)


def spread_over_an_hour(cloud: Cloud, ids: list[str]) -> None:
    """Rewrite the times of the stored messages: busy and quiet minutes, the newest a few seconds ago."""
    firestore, dice = cloud.firestore(), random.Random(3)  # noqa: S311
    weights = [1 + 8 * (minute % 17 in (3, 4, 9)) + 3 * dice.random() for minute in range(59)]
    ages = sorted(60 * minute + 55 * dice.random() for minute in dice.choices(range(59), weights, k=len(ids)))
    now, batch = datetime.now(UTC), firestore.batch()
    for message_id, age in zip(reversed(ids), ages, strict=True):
        received_at = now - timedelta(seconds=4 + age)
        published = received_at - timedelta(milliseconds=dice.randint(30, 140))
        times = {"received_at": received_at, "last_delivered_at": received_at, "publish_time": published}
        batch.update(firestore.document(f"messages/{document_id(cloud['subscription'], message_id)}"), times)
    batch.commit()


def take(browser: Browser, cloud: Cloud, scheme: str, shown: str) -> None:
    """Write the three pictures of one colour scheme."""
    context = browser.new_context(viewport=VIEWPORT, color_scheme="dark" if scheme == "dark" else "light")
    person = Person(context, cloud)
    person.sign_in()
    person.wait_until_live()
    save(person.page, f"list-{scheme}")
    person.page.click("button.stop")
    person.page.wait_for_selector("dialog[open]")
    save(person.page, f"stop-{scheme}")
    person.page.keyboard.press("Escape")
    person.row(shown).click()
    person.page.wait_for_selector("#drawer:not([hidden]) .detail")
    save(person.page, f"message-{scheme}")
    context.close()
    assert not person.troubles, person.troubles


def save(page: Page, name: str) -> None:
    """Write one picture, without the pointer and once nothing moves."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_500)
    page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
    print(f"{name}.png", (IMAGES / f"{name}.png").stat().st_size // 1024, "KiB")


if __name__ == "__main__":
    raise SystemExit(main())
