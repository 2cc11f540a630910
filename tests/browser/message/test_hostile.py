"""Hostile text is only text, wherever a page takes it from: addresses, users, journals, views, labels, file names.

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
# Where an address carries text of its own; {id} is a message's.
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
# These make another page of another text, or are paths, where a slash leads elsewhere.
UNLIKE = ("/messages?columns=", "/filters?columns=", "/messages/", "/subscriptions/", "/")
FILTERS = ("/messages?q=", "/republish?q=", "/filters?q=", "/timeline?q=")
# How many bars a timeline has, and how many rows a list, is the minute's own.
SHAPE = """([html, selector]) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const walk = (one) => [one.tagName, ...one.getAttributeNames(), "(",
        ...[...one.children].filter((child) => !child.matches("rect, tr.message, #timeline")).map(walk), ")"].join(" ");
    return walk(page.querySelector(selector));
}"""


@pytest.fixture(scope="module")
def message(cloud: Cloud) -> str:
    """A stored message's id in addresses."""
    sent = document_id(cloud["subscription"], cloud.publish(b"any"))
    messages = cloud.firestore().collection("messages")
    wait_until(lambda: messages.document(sent).get().exists, "the stored message")
    return sent


def shape(person: Person, path: str, selector: str = "html") -> str:
    """The elements and attributes' names that Chromium makes of what the server writes, without a script running."""
    pages: list[str] = []

    def is_counted() -> bool:
        answer = person.context.request.get(person.cloud["viewer"] + path, headers={"Accept": "text/html"})
        pages.append(answer.text())
        return 'id="timeline"' not in pages[-1] or " data-pending>" not in pages[-1]

    wait_until(is_counted, "the timeline's counts")
    found: str = person.page.evaluate(SHAPE, [pages[-1], selector])
    return found


def look(person: Person, path: str) -> None:
    """Let a page's own scripts work on it, and see that it has no others."""
    person.open(path)
    person.page.wait_for_load_state()
    assert not person.page.locator("script:not([src]), iframe, img[src='x'], a[href^='javascript']").count(), path


@pytest.mark.parametrize("path", ARGUMENTS)
def test_an_address_brings_no_markup(visit: Visit, message: str, path: str) -> None:
    ana = visit()
    path = path.replace("{id}", message)
    harmless = shape(ana, path + PLAIN)
    changed = [text for text in STRINGS if shape(ana, path + quote(text, safe="")) != harmless]
    assert not changed
    for text in TOGETHER:
        look(ana, path + quote(text, safe=""))


@pytest.mark.parametrize("path", UNLIKE)
def test_an_address_that_makes_another_page_brings_no_scripts(visit: Visit, path: str) -> None:
    ana = visit()
    for text in TOGETHER:
        look(ana, path + quote(text, safe=""))


@pytest.mark.parametrize("path", FILTERS)
def test_a_filter_brings_no_markup(visit: Visit, path: str) -> None:
    ana = visit()
    harmless, plainly_wrong = (shape(ana, path + one) for one in (_finding_nothing("no such text"), _wrong(PLAIN)))
    for text in STRINGS:
        assert shape(ana, path + _finding_nothing(text)) == harmless, text
        assert shape(ana, path + _wrong(text)) == plainly_wrong, text
    for text in TOGETHER:
        for address in (_finding_nothing(text), _wrong(text), quote(text, safe="")):
            look(ana, path + address)


def _finding_nothing(text: str) -> str:
    return quote(quoted(text) + " -kind:json -kind:text", safe="")


def _wrong(text: str) -> str:
    """A quote that does not end."""
    return quote('"' + text.replace('"', ""), safe="")


@pytest.mark.parametrize("view", ["pretty", "tree", "raw", "hex", "decoded"])
def test_every_view_shows_text(visit: Visit, cloud: Cloud, view: str) -> None:
    ana = visit()

    def path_of(text: str) -> str:
        payload = json.dumps({f"{text} 1": text, "list": [{text: [text]}, text]}, ensure_ascii=False).encode()
        sent = cloud.publish(base64.b64encode(payload) if view == "decoded" else payload, of="hostile")
        path = f"/messages/{document_id(cloud['subscription'], sent)}?view={view}"
        wait_until(lambda: ana.context.request.get(cloud["viewer"] + path).ok, "the stored message")
        return path

    harmless = _without_spans(ana, path_of(PLAIN))
    for text in STRINGS:
        assert _without_spans(ana, path_of(text)) == harmless, text
    for text in TOGETHER:
        look(ana, path_of(text))
        ana.page.wait_for_selector(f'a[data-view="{view}"][aria-current]')


def _without_spans(person: Person, path: str) -> str:
    """A message's page but for the spans that colour a payload; of the tree, too."""
    return re.sub(r"SPAN class \( (\) ?)?", "", shape(person, path, "#reader")).replace(")", "")


@pytest.mark.parametrize(("journal", "path"), [("audit", "/audit"), ("rejections", "/rejections")])
def test_journals_show_text(visit: Visit, cloud: Cloud, journal: str, path: str) -> None:
    ana = visit()
    shapes = set()
    for one in (PLAIN, *STRINGS, TOGETHER[0]):
        fields = dict.fromkeys(("who", "what", "target", "detail", "reason"), one)
        place = cloud.firestore().collection(journal).document()
        place.set({"at": datetime.now(UTC), "claims": {one.replace("/", ""): one}, **fields})
        shapes.add(shape(ana, path, "table tbody tr"))
        if one in TOGETHER:
            look(ana, path)
        place.delete()
    assert len(shapes) == 1


@pytest.mark.parametrize("text", STRINGS, ids=NAMES)
def test_names_of_people_are_text(visit: Visit, cloud: Cloud, text: str) -> None:
    ana = visit()
    people = cloud.firestore().collection("users")
    shapes = []
    for one in (f"{PLAIN}-{uuid4().hex[:6]}", text.replace("/", "|")):
        person = people.document(one)
        person.set({"role": "viewer", "created_at": datetime.now(UTC), "password_hash": "x"})
        try:
            row = f"tr[data-user={json.dumps(one, ensure_ascii=False)}]"
            shapes.append(shape(ana, "/users", row))
            if not one.startswith(PLAIN):
                look(ana, "/users")
                ana.page.locator(f"{row} .btn-outline-danger").click()
                assert one in (ana.page.locator("#confirm h2").text_content() or "")
                ana.page.click('#confirm button:text-is("Cancel")')
        finally:
            person.delete()
    assert shapes[0] == shapes[1]


def test_a_file_is_never_named_by_others(visit: Visit, cloud: Cloud) -> None:
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


def test_the_environments_label_is_text(visit: Visit, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> None:
    shapes = []
    for label in (PLAIN, HOSTILE):
        with viewer_beside(cloud, tmp_path_factory.mktemp("labelled"), ENVIRONMENT_LABEL=label) as place:
            ana = visit(cloud=place)
            shapes.append(shape(ana, "/help"))
            look(ana, "/help")
            assert ana.page.title().startswith(f"{label} · ")
    assert shapes[0] == shapes[1]


def test_a_stopped_span_is_labelled_with_text(visit: Visit, cloud: Cloud) -> None:
    ana, still = visit(), visit(java_script_enabled=False)
    before = still.page.locator("#timeline .pause-words").count()
    entry = cloud.firestore().collection("audit").document()
    entry.set({"at": datetime.now(UTC), "who": HOSTILE, "what": "delivery.stop", "target": HOSTILE, "detail": HOSTILE})
    try:
        look(ana, "/messages")
        wait_until(lambda: ana.page.locator("#timeline:not([data-pending])").count(), "the timeline")
        still.open("/messages")
        assert still.page.locator("#timeline .pause-words").count() == before, "nobody monitors such a subscription"
    finally:
        entry.delete()
