"""Masked fields reach no viewer, through no page, filter, stream or count; an operator sees all fields."""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask

from infra.firestore.message_reader import Selection
from infra.messages.masking import HIDDEN
from infra.messages.message import Pushed
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import SUBSCRIPTION, settings_for
from tests.support.ports import free_port
from tests.support.viewer.app import running
from tests.support.viewer.feed import Frames
from tests.support.viewer.topics import store
from tests.support.viewer.visitor import PAGE, SCRIPT, Visitor, services_of, signed_in
from tests.support.waiting import wait_until
from web.access.roles import access_of

SECRET = "tell-nobody-4711"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FIELDS = "email,ordering_key,data.card.number"
PAYLOAD = {"id": 0.10, "card": {"number": SECRET, "kind": "visa"}, "card.number": SECRET}


@pytest.fixture(scope="module")
def app(firestore: LocalFirestore) -> Iterator[Flask]:
    environ = {"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{free_port()}", "LOG_LEVEL": "CRITICAL"}
    with running(settings_for(firestore.address, MASKED_FIELDS=FIELDS, **environ)) as running_app:
        yield running_app


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return signed_in(app, "viewer")


@pytest.fixture(scope="module")
def operator(app: Flask) -> Visitor:
    return signed_in(app, "operator")


@pytest.fixture(scope="module")
def small(app: Flask) -> Pushed:
    return store(app, SUBSCRIPTION, json.dumps(PAYLOAD).encode(), {"email": SECRET, "team": "payments"}, SECRET)


@pytest.fixture(scope="module")
def large(app: Flask) -> Pushed:
    padded = PAYLOAD | {"padding": "x" * 1_000_000}
    return store(app, SUBSCRIPTION, json.dumps(padded).encode(), {"email": SECRET}, SECRET)


@pytest.fixture(scope="module")
def tabbed(app: Flask) -> Pushed:
    written = json.dumps(PAYLOAD | {"padding": "x" * 20_000}).replace('": ', '"\t:\t').replace(", ", "\t,\t")
    return store(app, SUBSCRIPTION, b"\xef\xbb\xbf" + written.encode(), {"email": SECRET}, SECRET)


@pytest.fixture(scope="module")
def text(app: Flask) -> Pushed:
    attributes = {"email": SECRET, "x-b3-traceid": TRACE}
    return store(app, SUBSCRIPTION, SECRET.encode(), attributes, SECRET)


# They need two messages: tests/web/compare/ looks for masked values there.
COMPARED = ("/compare", "/compare/earlier", "/compare/patch", "/compare/with")


def pages(app: Flask, document: str) -> Iterator[str]:
    """Return all addresses that a viewer may read, for one message."""
    for rule in app.url_map.iter_rules():
        if access_of(app, rule.endpoint) == "viewer" and "GET" in (rule.methods or ()) and rule.endpoint != "live.live":
            names = {"document": document, "subscription": SUBSCRIPTION, "trace": TRACE}
            _, path = rule.build({name: names[name] for name in rule.arguments}, append_unknown=False) or ("", "")
            if path not in COMPARED:
                yield path
    for view in ("pretty", "tree", "raw", "hex", "protobuf", "decoded"):
        yield f"/messages/{document}?view={view}"
    yield f"/messages?columns={quote('email,data.card.number,ordering_key')}"
    yield f"/compare/with?a={document}"
    yield "/groups?by=email&number=data.card.number"
    yield "/groups?by=data.card.number"


@pytest.mark.parametrize("kind", ["small", "large", "tabbed", "text"])
def test_no_page_shows_masked_fields_to_a_viewer(
    app: Flask, viewer: Visitor, operator: Visitor, request: pytest.FixtureRequest, kind: str
) -> None:
    pushed: Pushed = request.getfixturevalue(kind)
    asked = list(pages(app, pushed.id))
    assert len(asked) > 20
    for path in asked:
        for headers in (PAGE, SCRIPT):
            answer = viewer.get(path, headers)
            assert answer.status_code in (200, 302, 403), f"{path}: {answer.status_code}"
            shown = answer.text + str(answer.headers)
            assert SECRET not in shown, f"{path} tells it"
            assert SECRET[:6].encode().hex(" ") not in shown, f"{path} tells it in hex"
    told = [path for path in asked if SECRET in operator.get(path).text]
    assert len(told) >= 5, "an operator sees it nowhere, so this test would see nothing"


def test_viewer_reads_other_fields_unchanged(viewer: Visitor, small: Pushed, large: Pushed) -> None:
    sent = json.dumps(PAYLOAD)
    left = sent.replace(json.dumps(SECRET), f'"{HIDDEN}"')
    assert viewer.get(f"/messages/{small.id}/data").data.decode() == left
    found = viewer.get(f"/api/v1/messages/{small.id}").json
    assert found is not None
    assert (found["data"], found["attributes"]) == (left, {"email": HIDDEN, "team": "payments"})
    assert (found["ordering_key"], found["sha256"], found["size_bytes"]) == (HIDDEN, "", len(left.encode()))
    whole = json.loads(viewer.get(f"/messages/{large.id}/data").data)
    assert whole == PAYLOAD | {"card": {"number": HIDDEN, "kind": "visa"}, "card.number": HIDDEN} | {
        "padding": "x" * 1_000_000
    }


def test_message_page_names_the_masked_fields(viewer: Visitor, operator: Visitor, small: Pushed, text: Pushed) -> None:
    said = "Masked for your role: email, ordering_key, data.card.number."
    assert said in viewer.get(f"/messages/{small.id}").text
    assert said not in operator.get(f"/messages/{small.id}").text
    withheld = "The payload is not shown to your role"
    assert withheld in viewer.get(f"/messages/{text.id}").text
    answer = viewer.get(f"/messages/{text.id}/data", SCRIPT)
    assert answer.status_code == 403
    assert withheld in answer.json["error"]["detail"]  # type: ignore[index]
    assert viewer.get(f"/api/v1/messages/{text.id}").json["data"] is None  # type: ignore[index]


def found_by(who: Visitor, q: str) -> tuple[set[str], int]:
    """Return the messages that a filter finds, and the number of messages examined."""
    answer = who.get(f"/api/v1/messages?limit=200&q={quote(q)}", SCRIPT).json
    assert answer is not None
    return {one["id"] for one in answer["messages"]}, answer["looked_at"]


@pytest.mark.parametrize(
    "q",
    [
        SECRET,
        f"email={SECRET}",
        f"Email~{SECRET[:5]}",
        f"email={SECRET} OR email=nobody",
        f"data.card.number={SECRET}",
        f"data.card.number~{SECRET[-4:]}",
        f"data.*.number={SECRET}",
        f"key:{SECRET}",
        f"/{SECRET}$/",
        f"data.card.number=~/{SECRET}.*/",
        f"-email!={SECRET}",
        f"(email={SECRET} OR data.card.number={SECRET}) -(email=nobody)",
    ],
)
def test_filter_on_a_masked_field_finds_nothing_for_a_viewer(
    viewer: Visitor, operator: Visitor, small: Pushed, large: Pushed, tabbed: Pushed, q: str
) -> None:
    found, looked_at = found_by(viewer, q)
    nothing, as_many = found_by(viewer, q.replace(SECRET, "nobody-has-this"))
    assert found == nothing == set()
    assert looked_at == as_many, "how much was looked at tells it"
    if not q.startswith("Email"):  # names in filters are case-sensitive
        assert found_by(operator, q)[0]


def test_filter_on_another_field_finds_messages_for_a_viewer(viewer: Visitor, small: Pushed) -> None:
    for q in ("team=payments", f"email={HIDDEN}", "data.card.kind=visa", "data.id=0.1", "visa team=payments"):
        assert small.id in found_by(viewer, q)[0], q


@pytest.mark.parametrize("columns", ["", "email,data.card.number"])
def test_live_stream_is_masked_for_a_viewer(app: Flask, viewer: Visitor, operator: Visitor, columns: str) -> None:
    told = {}
    for who in (operator, viewer):
        pushed, frames = _live(app, who, f"/live?columns={quote(columns)}")
        told[who.name] = str([frame.data for frame in frames.of("message") if frame.data["id"] == pushed.id])
    assert told[operator.name].count(SECRET) > told[viewer.name].count(SECRET) == 0
    assert HIDDEN in told[viewer.name]


def test_live_filter_on_a_masked_field_sends_nothing_to_a_viewer(
    app: Flask, viewer: Visitor, operator: Visitor
) -> None:
    for who, expected in ((operator, True), (viewer, False)):
        pushed, frames = _live(app, who, f"/live?q={quote(f'email={SECRET} OR team=beside')}")
        assert (pushed.id in frames.ids()) is expected


def _live(app: Flask, who: Visitor, path: str) -> tuple[Pushed, Frames]:
    """Watch a message with the secret arrive, and after it one that all roles may find."""
    frames = Frames()
    with who.client.get(path, headers=SCRIPT, base_url=who.base_url, buffered=False) as answer:
        chunks = iter(answer.response)
        while not any(one.data["status"] == "live" for one in frames.of("feed")):
            frames.feed(next(chunks))  # type: ignore[arg-type]
        pushed = store(app, SUBSCRIPTION, json.dumps(PAYLOAD).encode(), {"email": SECRET}, SECRET)
        wait_until(lambda: who.get(f"/messages/{pushed.id}").status_code == 200, "the stored message")
        last = store(app, SUBSCRIPTION, b"{}", {"team": "beside"})
        while last.id not in frames.ids():
            frames.feed(next(chunks))  # type: ignore[arg-type]
    return pushed, frames


def test_replay_is_masked_for_a_viewer(app: Flask, viewer: Visitor, operator: Visitor, small: Pushed) -> None:
    for who, q, expected in (
        (viewer, f"email={HIDDEN}", True),
        (operator, f"email={HIDDEN}", False),
        (operator, f"email={SECRET}", True),
        (viewer, f"email={SECRET}", False),
    ):
        frames = Frames()
        address = f"/live?after=0-{'0' * 32}&q={quote(q)}"
        with who.client.get(address, headers=SCRIPT, base_url=who.base_url, buffered=False) as answer:
            chunks = iter(answer.response)
            while not frames.of("caughtup"):
                frames.feed(next(chunks))  # type: ignore[arg-type]
        assert (small.id in frames.ids()) is expected, (who.name, q)
        assert SECRET not in str([frame.data for frame in frames.of("message")]) or who is operator


def test_examined_count_does_not_reveal_masked_fields(app: Flask, small: Pushed) -> None:
    masked = services_of(app).masked_messages
    assert masked.count(Selection(tokens=(f"email={SECRET}",))) == masked.count()


def test_help_page_names_the_masked_fields(viewer: Visitor, operator: Visitor) -> None:
    pages_of = {who.name: re.sub(r"\s+", " ", who.get("/help").text) for who in (viewer, operator)}
    assert all(
        "The role viewer sees ••• for email, ordering_key, data.card.number" in page for page in pages_of.values()
    )
    assert "Your role, operator, sees all." in pages_of[operator.name]
