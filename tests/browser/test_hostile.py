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

from infra.message import document_id
from infra.query import quoted
from tests.browser.beside import viewer_beside
from tests.browser.conftest import Visit
from tests.browser.hostile import HOSTILE, STRINGS
from tests.browser.person import Person
from tests.cloud import Cloud, wait_until

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
SHAPE = """root => {
    const walk = (one) => [one.tagName, ...one.getAttributeNames(), "(",
        ...[...one.children].filter((child) => !child.matches("rect, tr.message, #timeline")).map(walk), ")"].join(" ");
    return walk(root);
}"""


@pytest.fixture
def still(visit: Visit) -> Person:
    """Somebody without JavaScript: a page is what the server wrote."""
    return visit(java_script_enabled=False)


def shape(person: Person, path: str, selector: str = "html") -> str:
    person.open(path)
    found: str = person.page.eval_on_selector(selector, SHAPE)
    return found


def look(person: Person, path: str) -> None:
    """Let a page's own scripts work on it, and see that it has no others."""
    person.open(path)
    person.page.wait_for_load_state()
    assert not person.page.locator("script:not([src]), iframe, img[src='x'], a[href^='javascript']").count(), path


@pytest.mark.parametrize("text", STRINGS, ids=NAMES)
def test_an_address_brings_no_markup(visit: Visit, still: Person, cloud: Cloud, text: str) -> None:
    ana = visit()
    one = cloud.publish(b"any")
    ana.see(one)
    paths = [path.replace("{id}", document_id(cloud["subscription"], one)) for path in ARGUMENTS]
    changed = [path for path in paths if shape(still, path + quote(text, safe="")) != shape(still, path + PLAIN)]
    assert not changed, f"hostile text changes the page of {changed}"
    for path in (*paths, *UNLIKE):
        look(ana, path + quote(text, safe=""))


@pytest.mark.parametrize("text", STRINGS, ids=NAMES)
def test_a_filter_brings_no_markup(visit: Visit, still: Person, text: str) -> None:
    ana = visit()
    for path in FILTERS:
        hostile, harmless = (quote(quoted(one) + " -kind:json -kind:text", safe="") for one in (text, "no such text"))
        assert shape(still, path + hostile) == shape(still, path + harmless)
        wrong, plainly_wrong = (quote(f'"{one}', safe="") for one in (text.replace('"', ""), PLAIN))
        assert shape(still, path + wrong) == shape(still, path + plainly_wrong)
        for address in (hostile, wrong, quote(text, safe="")):
            look(ana, path + address)


@pytest.mark.parametrize("text", STRINGS, ids=NAMES)
def test_every_view_shows_text(visit: Visit, still: Person, cloud: Cloud, text: str) -> None:
    ana = visit()
    shapes: dict[str, list[str]] = {}
    for one in (PLAIN, text):
        payload = json.dumps({f"{one} 1": one, "list": [{one: [one]}, one]}, ensure_ascii=False).encode()
        sent, packed = cloud.publish(payload, of="hostile"), cloud.publish(base64.b64encode(payload), of="hostile")
        stored = f"{cloud['viewer']}/messages/{document_id(cloud['subscription'], packed)}"
        wait_until(lambda stored=stored: ana.context.request.get(stored).ok, 10, "the message was not stored")  # type: ignore[misc]
        for view in ("pretty", "tree", "raw", "hex", "decoded"):
            message = document_id(cloud["subscription"], packed if view == "decoded" else sent)
            path = f"/messages/{message}?view={view}"
            shapes.setdefault(view, []).append(_without_spans(still, path))
            look(ana, path)
            ana.page.wait_for_selector(f'a[data-view="{view}"][aria-current]')
    assert not [view for view, (plain, hostile) in shapes.items() if plain != hostile]


def _without_spans(person: Person, path: str) -> str:
    """A message's page but for the spans that colour a payload; of the tree, too."""
    person.open(path)
    return re.sub(r"SPAN class \( (\) ?)?", "", person.skeleton("#reader")).replace(")", "")


@pytest.mark.parametrize("text", STRINGS, ids=NAMES)
def test_journals_show_text(visit: Visit, still: Person, cloud: Cloud, text: str) -> None:
    ana = visit()
    for journal, path in (("audit", "/audit"), ("rejections", "/rejections")):
        shapes = []
        for one in (PLAIN, text):
            fields = dict.fromkeys(("who", "what", "target", "detail", "reason"), one)
            place = cloud.firestore().collection(journal).document()
            place.set({"at": datetime.now(UTC), "claims": {one.replace("/", ""): one}, **fields})
            shapes.append(shape(still, path, "table tbody tr"))
            look(ana, path)
            place.delete()
        assert shapes[0] == shapes[1]


@pytest.mark.parametrize("text", STRINGS, ids=NAMES)
def test_names_of_people_are_text(visit: Visit, still: Person, cloud: Cloud, text: str) -> None:
    ana = visit()
    people = cloud.firestore().collection("users")
    shapes = []
    for one in (f"{PLAIN}-{uuid4().hex[:6]}", text.replace("/", "|")):
        person = people.document(one)
        person.set({"role": "viewer", "created_at": datetime.now(UTC), "password_hash": "x"})
        try:
            shapes.append(shape(still, "/users", f"tr[data-user={json.dumps(one, ensure_ascii=False)}]"))
            look(ana, "/users")
            ana.page.locator(f"tr[data-user={json.dumps(one, ensure_ascii=False)}] .btn-outline-danger").click()
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
            still, ana = visit(cloud=place, java_script_enabled=False), visit(cloud=place)
            shapes.append(shape(still, "/help"))
            look(ana, "/help")
            assert ana.page.title().startswith(f"{label} · ")
    assert shapes[0] == shapes[1]


def test_a_stopped_span_is_labelled_with_text(visit: Visit, still: Person, cloud: Cloud) -> None:
    ana = visit()
    before = still.page.locator("#timeline .pause-words").count()
    entry = cloud.firestore().collection("audit").document()
    entry.set({"at": datetime.now(UTC), "who": HOSTILE, "what": "delivery.stop", "target": HOSTILE, "detail": HOSTILE})
    try:
        look(ana, "/messages")
        wait_until(lambda: ana.page.locator("#timeline:not([data-pending])").count(), 10, "the timeline never came")
        still.open("/messages")
        assert still.page.locator("#timeline .pause-words").count() == before, "nobody monitors such a subscription"
    finally:
        entry.delete()
