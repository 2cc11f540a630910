"""Actions that several browser tests share."""

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from infra.messages.message import document_id
from tests.support.browser.person import Person
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until


def published_ids(cloud: Cloud, count: int) -> list[str]:
    return [cloud.publish(f"{uuid4()}".encode()) for _ in range(count)]


def fill(person: Person, cloud: Cloud, rows: int) -> None:
    person.see(published_ids(cloud, max(1, rows - len(person.rows())))[-1])


def filter_of(person: Person) -> str:
    return parse_qs(urlsplit(person.page.url).query).get("q", [""])[0]


def publish(cloud: Cloud, team: str, status: str) -> str:
    return cloud.publish(f'{{"for": "{team}", "user": {{"id": 42}}}}'.encode(), team=team, status=status)


def published(cloud: Cloud, count: int) -> list[str]:
    """Publish ``count`` messages, wait until they are stored, and return the ids of their documents."""
    ids = [document_id(cloud["subscription"], cloud.publish(b"meanwhile %d" % number)) for number in range(count)]
    stored = cloud.firestore().collection("messages")
    wait_until(lambda: all(stored.document(one).get().exists for one in ids), "the stored messages", 20)
    return ids


# Chromium without a window shows no notifications, so the page keeps a list of those that it makes.
WRITE_DOWN = """() => {
    window.told = [];
    const Real = Notification;
    window.Notification = class extends Real {
        constructor(title, options) {
            super(title, options);
            told.push({ title, body: options.body, at: performance.now(), notification: this });
        }
    };
}"""


def switch_on(person: Person, *, text: bool = False) -> None:
    person.context.grant_permissions(["notifications"])
    person.page.click(".notify > summary")
    person.page.check("#notify-wanted")
    person.page.locator("#notify summary .default-mark").wait_for()
    if text:
        person.page.check("#notify-text")
    person.page.evaluate(WRITE_DOWN)
