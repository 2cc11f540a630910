"""Publishing from the form, on the local cloud: byte for byte, to monitored topics only, and no typed text is lost."""

import base64
import io
import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from infra.messages.message import document_id
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.local_cloud import Cloud
from tests.support.ports import free_port
from tests.support.viewer.app import running
from tests.support.viewer.topics import Fields, Topics, own_topics, store
from tests.support.viewer.visitor import PAGE, SCRIPT, Visitor, add_user, services_of

HOSTILE = "</textarea></form><script>alert(1)</script>\"'`{{7*7}}\u202e"


def publish(visitor: Visitor, pairs: list[tuple[str, str]], data: bytes | None = None) -> Any:
    """Send the form with these fields, and with a file if ``data`` is given."""
    token = [] if any(name == "csrf_token" for name, _ in pairs) else [("csrf_token", visitor.token())]
    fields: MultiDict[str, Any] = MultiDict([*token, *pairs])
    if data is not None:
        fields.add("file", FileStorage(io.BytesIO(data), "payload.bin"))
    # Encoded here because Flask's test client would leave a temporary file open.
    boundary, body = encode_multipart(fields)
    content_type = f"multipart/form-data; boundary={boundary}"
    return visitor.client.post("/publish", data=body, headers=PAGE, content_type=content_type)


def problem(page: str, field: str) -> str:
    found = re.search(rf'<p class="problem" role="alert" id="problem-{field}">([^<]*)</p>', page)
    return found.group(1) if found else ""


def test_typed_message_is_published_and_followed(acting: Visitor, topics: Topics, admin: Visitor) -> None:
    topic = topics.path(topics.name)
    typed = [
        ("topic", topic),
        ("data", '{"a": 1}\r\n'),
        ("ordering_key", "k1"),
        ("name", "team"),
        ("value", "payments"),
    ]
    answer = publish(acting, [*typed, ("name", ""), ("value", "")])
    assert answer.status_code == 303
    (heard,) = topics.heard()
    assert heard.data == b'{"a": 1}\n', "a text field writes its line breaks as CR LF; people mean LF"
    assert (dict(heard.attributes), heard.ordering_key) == ({"team": "payments"}, "k1")
    page = acting.get(answer.headers["Location"])
    assert f'<strong class="mono">{heard.message_id}</strong>' in page.text
    assert "STOPPED: it waits in Pub/Sub" in page.text
    stops = acting.get(answer.headers["Location"], SCRIPT).json
    assert stops is not None
    assert stops["stops"][0]["id"] == document_id(topics.name, heard.message_id)
    audit = admin.get(f"/audit?who={acting.name}&what=message.publish").text
    assert f"done: message {heard.message_id}" in audit
    assert "requested; 8 bytes" not in audit
    assert "requested; 9 bytes" in audit


@pytest.mark.parametrize("data", [b"\xff\x00\r\n", b"", b"x" * 9_990_000], ids=["bytes", "empty", "ten megabytes"])
def test_file_is_published_byte_for_byte(acting: Visitor, topics: Topics, data: bytes) -> None:
    answer = publish(acting, [("topic", topics.path(topics.name)), ("name", "a"), ("value", "b")], data)
    assert answer.status_code == 303
    assert topics.heard()[0].data == data


def test_base64_is_published_as_bytes(acting: Visitor, topics: Topics) -> None:
    typed = [("topic", topics.path(topics.name)), ("encoding", "base64"), ("data", "AP8N\r\nCg==\r\n")]
    assert publish(acting, typed).status_code == 303
    assert topics.heard()[0].data == b"\x00\xff\r\n"


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"data": "", "name": "", "value": ""}, "data", "is empty; a message needs data or at least one attribute."),
        ({"data": "x", "encoding": "base64"}, "data", "is not base64"),
        ({"data": "x", "name": "", "value": HOSTILE}, "attributes", "has no name."),
        ({"data": "x", "name": "googa", "value": "1"}, "attributes", "begins with goog"),
        ({"data": "x", "name": "é" * 129, "value": "1"}, "attributes", "is longer than 256 bytes."),
        ({"data": "x", "name": "a", "value": "é" * 513}, "attributes", "is longer than 1,024 bytes."),
        ({"data": "x", "ordering_key": "é" * 513}, "ordering_key", "is longer than 1,024 bytes."),
        ({"data": "x", "topic": "projects/p/topics/other"}, "topic", "is not the topic of a monitored subscription."),
        ({"data": "x", "topic": ""}, "topic", "is not the topic of a monitored subscription."),
    ],
)
def test_error_is_shown_beside_its_field(
    acting: Visitor, topics: Topics, fields: dict[str, str], field: str, sentence: str
) -> None:
    typed = {"topic": topics.path(topics.name), "name": "kept", "value": HOSTILE, "ordering_key": HOSTILE, **fields}
    answer = publish(acting, list(typed.items()))
    assert answer.status_code == 400
    assert sentence in problem(answer.text, field)
    again = Fields(answer.text)
    assert again.one("data") == typed["data"]
    assert (again.all("name")[0], again.all("value")[0]) == (typed["name"], typed["value"])
    assert again.one("ordering_key") == typed["ordering_key"]
    assert "<script>alert" not in answer.text


def test_repeated_attribute_name_is_refused(acting: Visitor, topics: Topics) -> None:
    pairs = [("topic", topics.path(topics.name)), ("data", "x"), *[("name", "a"), ("value", "1")] * 2]
    answer = publish(acting, pairs)
    assert answer.status_code == 400
    assert "is used twice" in problem(answer.text, "attributes")


def test_file_and_typed_data_exclude_each_other(acting: Visitor, topics: Topics) -> None:
    answer = publish(acting, [("topic", topics.path(topics.name)), ("data", "x")], b"y")
    assert answer.status_code == 400
    assert "Empty the field" in problem(answer.text, "file")


def test_data_over_pubsubs_limit_is_refused(acting: Visitor, topics: Topics) -> None:
    answer = publish(acting, [("topic", topics.path(topics.name))], b"x" * 10_000_001)
    assert answer.status_code == 400
    assert "has 10,000,001 bytes" in problem(answer.text, "data")
    assert publish(acting, [("topic", topics.path(topics.name))], b"x" * 15_100_000).status_code == 413


def test_only_operators_may_send_a_large_body(reading: Visitor, acting_app: Flask, topics: Topics) -> None:
    for somebody in (reading, Visitor(acting_app)):
        answer = publish(somebody, [("topic", topics.path(topics.name))], b"x" * 200_000)
        assert answer.status_code in (401, 403)


@pytest.mark.parametrize(
    "data",
    [
        b"plain",
        b"\nfirst a line break\n",
        b"two\r\nlines",
        b"\x00",
        b"\xff\xfe",
        "é\u2028".encode(),
        HOSTILE.encode(),
    ],
)
def test_form_filled_in_from_a_message_publishes_the_same_message(
    acting: Visitor, acting_app: Flask, topics: Topics, data: bytes
) -> None:
    attributes = {"plain": "1", "lines": "a\nb", HOSTILE.replace("\u202e", ""): HOSTILE, " spaced ": " v "}
    pushed = store(acting_app, topics.name, data, attributes, key=" k ")
    form = Fields(acting.get(f"/publish?from={pushed.id}").text)
    fields = [(name, value) for name, value in form.found if name not in ("csrf_token",)]
    assert publish(acting, fields).status_code == 303
    (heard,) = topics.heard()
    assert heard.data == data
    assert (dict(heard.attributes), heard.ordering_key) == (attributes, " k ")


def test_form_names_the_parts_of_a_message_that_it_cannot_send(
    acting: Visitor, acting_app: Flask, topics: Topics
) -> None:
    pushed = store(acting_app, topics.name, b"x" * 16_000, {"cr": "a\rb", "ok": "1"}, key="a\nb")
    page = acting.get(f"/publish?from={pushed.id}").text
    assert "Fields with control characters, which a form cannot send, are left out" in page
    assert Fields(page).all("name")[0] == "ok"
    assert Fields(page).one("ordering_key") == ""


def test_form_has_binary_data_as_base64(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    pushed = store(acting_app, topics.name, b"\xff\x00")
    form = Fields(acting.get(f"/publish?from={pushed.id}").text)
    assert (form.one("data"), form.one("encoding")) == (base64.b64encode(b"\xff\x00").decode(), "base64")


@pytest.mark.parametrize("document", ["0" * 32, "../users", "<b>"])
def test_form_from_an_unknown_message_answers_404(acting: Visitor, document: str) -> None:
    assert acting.get("/publish", query_string={"from": document}).status_code == 404


@pytest.mark.parametrize("query", ["", "id=1", "topic=x&id=1", "topic={topic}&id=<b>", "topic={topic}&id=" + "1" * 129])
def test_following_an_unknown_message_answers_404(acting: Visitor, topics: Topics, query: str) -> None:
    assert acting.get(f"/publish/sent?{query.format(topic=topics.path(topics.name))}").status_code == 404


def test_unmonitored_topic_of_the_same_project_is_refused(acting: Visitor, cloud: Cloud) -> None:
    answer = publish(acting, [("topic", cloud.topic_path), ("data", "x")])
    assert answer.status_code == 400
    assert "is not the topic of a monitored subscription" in problem(answer.text, "topic")


def test_failure_is_audited_and_keeps_the_form(cloud: Cloud) -> None:
    with own_topics(cloud) as topics, running(topics.settings) as app:
        admin = Visitor(app, add_user(app, f"{topics.name}-admin", "admin"))
        assert topics.name in admin.get("/publish").text
        topics.pubsub.publisher.delete_topic(topic=topics.path(topics.name))
        answer = publish(admin, [("topic", topics.path(topics.name)), ("data", "an hour's work")])
        assert answer.status_code == 404
        assert Fields(answer.text).one("data") == "an hour's work"
        audit = admin.get(f"/audit?who={admin.name}").text
        assert "requested; 14 bytes" in audit
        assert "failed: Pub/Sub, publishing to" in audit
        topics.pubsub.publisher.create_topic(name=topics.path(topics.name))


TYPED = [("data", "an hour's work\r\n"), ("name", "team"), ("value", HOSTILE), ("ordering_key", "k1")]


def assert_is_kept(page: str, topic: str) -> None:
    form = Fields(page)
    assert (form.one("topic"), form.one("data"), form.one("ordering_key")) == (topic, "an hour's work\r\n", "k1")
    assert (form.all("name")[0], form.all("value")[0]) == ("team", HOSTILE)
    assert "<script>alert" not in page


def test_form_is_kept_when_the_session_has_ended(acting_app: Flask, topics: Topics) -> None:
    operator = Visitor(acting_app, add_user(acting_app, f"{topics.name}-out", "operator"))
    typed = [("topic", topics.path(topics.name)), *TYPED]
    services_of(acting_app).sessions.end(operator.cookie)
    answer = publish(operator, [("csrf_token", "of a page that was open"), *typed])
    assert answer.status_code == 401
    assert "You are signed out, so nothing was published." in answer.text
    assert_is_kept(answer.text, topics.path(topics.name))
    assert topics.dead not in answer.text, "a signed-out user sees no topics"
    assert "STOPPED" not in answer.text
    assert "is stopped" not in answer.text
    again = Visitor(acting_app, operator.name)
    answer = publish(again, [("csrf_token", Fields(answer.text).all("csrf_token")[-1]), *typed])
    assert answer.status_code == 400
    assert "This form is from an earlier sign-in" in answer.text
    assert_is_kept(answer.text, topics.path(topics.name))
    fresh = [(name, value) for name, value in Fields(answer.text.split("<main")[1].split("</main>")[0]).found]
    assert publish(again, fresh).status_code == 303
    assert topics.heard()[0].data == b"an hour's work\n"


def test_form_asks_to_choose_the_file_again(acting: Visitor, topics: Topics) -> None:
    answer = publish(acting, [("csrf_token", "stale"), ("topic", topics.path(topics.name))], b"x" * 200_000)
    assert answer.status_code == 400
    assert "Choose the file again." in answer.text


def test_large_form_of_a_signed_out_user_is_not_kept(acting_app: Flask, topics: Topics) -> None:
    answer = publish(Visitor(acting_app), [("topic", topics.path(topics.name)), ("data", "x" * 70_000)])
    assert answer.status_code == 401
    assert "the form is too large to be shown again. Nothing was published." in answer.text


def test_script_gets_the_usual_error_for_a_stale_token(acting: Visitor, acting_app: Flask) -> None:
    assert acting.post("/publish", SCRIPT, csrf_token="stale", data="x").json is not None
    assert Visitor(acting_app).post("/publish", SCRIPT, data="x").status_code == 401


def test_form_is_kept_while_pubsub_is_down(firestore: LocalFirestore) -> None:
    settings = settings_for(firestore.address, PUBSUB_EMULATOR_HOST=f"127.0.0.1:{free_port()}", LOG_LEVEL="CRITICAL")
    with running(settings) as app:
        operator = Visitor(app, add_user(app, "operator-of-topics", "operator"))
        answer = publish(operator, [("topic", "projects/p/topics/t"), ("data", "an hour's work")])
        assert answer.status_code == 503
        assert Fields(answer.text).one("data") == "an hour's work"
        assert "127.0.0.1" not in answer.text
        assert "Pub/Sub does not answer right now." in answer.text
