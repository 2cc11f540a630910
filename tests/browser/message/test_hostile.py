"""Hostile text stays text, from every source: addresses, users, history, views, labels, file names.

Each page with a hostile text has the elements and attributes of the same page with a harmless one. The fixture
``visit`` sees to it that no dialog opened, no script failed and the Content-Security-Policy was not violated.
"""

import base64
import json
import re
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4

import pytest

from infra.messages.message import document_id
from infra.query import quoted
from tests.support.browser.beside import viewer_beside
from tests.support.browser.hostile import HOSTILE, STRINGS, TOGETHER
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until

PLAIN = "harmless"
NAMES = [f"string {number}" for number in range(len(STRINGS))]
# Addresses that carry text; {id} is a message's id.
ARGUMENTS = (
    "/messages?before=",
    "/messages?subscription=",
    "/messages?notice=",
    "/messages/{id}?view=",
    "/messages/{id}?part=",
    "/publish?from=",
    "/publish/sent?id=1&topic=",
    "/publish/sent?topic=x&id=",
    "/republish?before=",
    "/republish?subscription=",
    "/filters?subscription=",
    "/audit?who=",
    "/audit?what=",
    "/audit?before=",
    "/rejections?before=",
    "/help?",
    "/login?next=",
    "/login?notice=",
    "/nowhere?",
)
# With other text these show another page, or they are paths, in which a slash changes the page.
UNLIKE = ("/messages?columns=", "/filters?columns=", "/messages/", "/subscriptions/", "/")
FILTERS = ("/messages?q=", "/republish?q=", "/filters?q=", "/timeline?q=")
# The numbers of timeline bars and of rows change from minute to minute.
SHAPE = """([html, selector]) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const walk = (one) => [one.tagName, ...one.getAttributeNames(), "(",
        ...[...one.children].filter((child) => !child.matches("rect, tr.message, #timeline")).map(walk), ")"].join(" ");
    return walk(page.querySelector(selector));
}"""


@pytest.fixture(scope="module")
def message(cloud: Cloud) -> str:
    """Return the id of a stored message for addresses."""
    sent = document_id(cloud["subscription"], cloud.publish(b"any"))
    messages = cloud.firestore().collection("messages")
    wait_until(lambda: messages.document(sent).get().exists, "the stored message")
    return sent


def shape(person: Person, path: str, selector: str = "html") -> str:
    """Return the element and attribute names that Chromium parses from the server's HTML, without running scripts."""
    pages: list[str] = []

    def is_counted() -> bool:
        answer = person.context.request.get(person.cloud["viewer"] + path, headers={"Accept": "text/html"})
        pages.append(answer.text())
        return 'id="timeline"' not in pages[-1] or " data-pending>" not in pages[-1]

    wait_until(is_counted, "the timeline's counts")
    found: str = person.page.evaluate(SHAPE, [pages[-1], selector])
    return found


def look(person: Person, path: str) -> None:
    """Let the page's scripts run, and check that there are no others."""
    person.open(path)
    person.page.wait_for_load_state()
    assert not person.page.locator("script:not([src]), iframe, img[src='x'], a[href^='javascript']").count(), path


@pytest.mark.parametrize("path", ARGUMENTS)
def test_address_adds_no_markup(person: Person, message: str, path: str) -> None:
    path = path.replace("{id}", message)
    harmless = shape(person, path + PLAIN)
    changed = [text for text in STRINGS if shape(person, path + quote(text, safe="")) != harmless]
    assert not changed
    for text in TOGETHER:
        look(person, path + quote(text, safe=""))


@pytest.mark.parametrize("path", UNLIKE)
def test_address_of_another_page_adds_no_script(person: Person, path: str) -> None:
    for text in TOGETHER:
        look(person, path + quote(text, safe=""))


@pytest.mark.parametrize("path", FILTERS)
def test_filter_adds_no_markup(person: Person, path: str) -> None:
    harmless, plainly_wrong = (shape(person, path + one) for one in (_finding_nothing("no such text"), _wrong(PLAIN)))
    for text in STRINGS:
        assert shape(person, path + _finding_nothing(text)) == harmless, text
        assert shape(person, path + _wrong(text)) == plainly_wrong, text
    for text in TOGETHER:
        for address in (_finding_nothing(text), _wrong(text), quote(text, safe="")):
            look(person, path + address)


def _finding_nothing(text: str) -> str:
    return quote(quoted(text) + " -kind:json -kind:text", safe="")


def _wrong(text: str) -> str:
    """Return a filter with an unclosed quote."""
    return quote('"' + text.replace('"', ""), safe="")


@pytest.mark.parametrize("view", ["pretty", "tree", "raw", "hex", "decoded"])
def test_every_view_shows_hostile_payloads_as_text(person: Person, cloud: Cloud, view: str) -> None:

    def path_of(text: str) -> str:
        payload = json.dumps({f"{text} 1": text, "list": [{text: [text]}, text]}, ensure_ascii=False).encode()
        sent = cloud.publish(base64.b64encode(payload) if view == "decoded" else payload, of="hostile")
        path = f"/messages/{document_id(cloud['subscription'], sent)}?view={view}"
        wait_until(lambda: person.context.request.get(cloud["viewer"] + path).ok, "the stored message")
        return path

    harmless = _without_spans(person, path_of(PLAIN))
    for text in STRINGS:
        assert _without_spans(person, path_of(text)) == harmless, text
    for text in TOGETHER:
        look(person, path_of(text))
        person.page.wait_for_selector(f'a[data-view="{view}"][aria-current]')


def _without_spans(person: Person, path: str) -> str:
    """Return a message's page without the spans that colour payloads and trees."""
    return re.sub(r"SPAN class \( (\) ?)?", "", shape(person, path, "#reader")).replace(")", "")


@pytest.mark.parametrize(("journal", "path"), [("audit", "/audit"), ("rejections", "/rejections")])
def test_history_pages_show_hostile_text_as_text(person: Person, cloud: Cloud, journal: str, path: str) -> None:
    shapes = set()
    for one in (PLAIN, *STRINGS, TOGETHER[0]):
        fields = dict.fromkeys(("who", "what", "target", "detail", "reason"), one)
        place = cloud.firestore().collection(journal).document()
        place.set({"at": datetime.now(UTC), "claims": {one.replace("/", ""): one}, **fields})
        shapes.add(shape(person, path, "table tbody tr"))
        if one in TOGETHER:
            look(person, path)
        place.delete()
    assert len(shapes) == 1


@pytest.mark.parametrize("text", STRINGS, ids=NAMES)
def test_hostile_user_names_stay_text(person: Person, cloud: Cloud, text: str) -> None:
    users = cloud.firestore().collection("users")
    shapes = []
    for name in (f"{PLAIN}-{uuid4().hex[:6]}", text.replace("/", "|")):
        user = users.document(name)
        user.set({"role": "viewer", "created_at": datetime.now(UTC), "password_hash": "x"})
        try:
            row = f"tr[data-user={json.dumps(name, ensure_ascii=False)}]"
            shapes.append(shape(person, "/users", row))
            if not name.startswith(PLAIN):
                look(person, "/users")
                person.page.locator(f"{row} .btn-outline-danger").click()
                assert name in (person.page.locator("#confirm h2").text_content() or "")
                person.page.click('#confirm button:text-is("Cancel")')
        finally:
            user.delete()
    assert shapes[0] == shapes[1]


def test_download_name_ignores_published_text(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    one = cloud.publish(HOSTILE.encode(), name=HOSTILE)
    ana.see(one)
    for text in STRINGS:
        for path in (f"/export.csv?q={quote(quoted(text))}", f"/export.ndjson?q={quote(quoted(text))}"):
            answer = ana.context.request.get(cloud["viewer"] + path)
            assert answer.ok
            assert re.fullmatch(r'attachment; filename="?messages-\d{8}T\d{6}Z\.(csv|ndjson)"?', _disposition(answer))
    data = ana.context.request.get(f"{cloud['viewer']}/messages/{document_id(cloud['subscription'], one)}/data")
    assert re.fullmatch(r'attachment; filename="[0-9a-f]{32}\.bin"', _disposition(data))


def _disposition(answer: object) -> str:
    headers: dict[str, str] = answer.headers  # type: ignore[attr-defined]
    return headers["content-disposition"]


def test_hostile_environment_label_stays_text(
    visit: Visit, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shapes = []
    for label in (PLAIN, HOSTILE):
        with viewer_beside(cloud, tmp_path_factory.mktemp("labelled"), ENVIRONMENT_LABEL=label) as place:
            ana = visit(cloud=place)
            shapes.append(shape(ana, "/help"))
            look(ana, "/help")
            assert ana.page.title().startswith(f"{label} · ")
    assert shapes[0] == shapes[1]


def test_hostile_name_in_a_timeline_label_stays_text(visit: Visit, cloud: Cloud) -> None:
    ana, still = visit(), visit(java_script_enabled=False)
    before = still.page.locator("#timeline .pause-words").count()
    entry = cloud.firestore().collection("audit").document()
    entry.set({"at": datetime.now(UTC), "who": HOSTILE, "what": "delivery.stop", "target": HOSTILE, "detail": HOSTILE})
    try:
        look(ana, "/messages")
        wait_until(lambda: ana.page.locator("#timeline:not([data-pending])").count(), "the timeline")
        still.open("/messages")
        assert still.page.locator("#timeline .pause-words").count() == before, "this subscription is not monitored"
    finally:
        entry.delete()
