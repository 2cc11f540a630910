"""Publishing again, byte for byte and with the name of the original: one, many, dead letters to their source only."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from infra.messages.message import document_id
from infra.pubsub.publisher import OutgoingMessage
from infra.pubsub.replay import replay_of, replay_to_source
from infra.query import quoted
from tests.support.firestore.listen_proxy import ListenProxy
from tests.support.firestore.writer import stored_message
from tests.support.viewer.app import running
from tests.support.viewer.topics import SOURCE_ATTRIBUTE, Topics, store
from tests.support.viewer.visitor import PAGE, Skeleton, Visitor, services_of

HOSTILE = "</li></ul></section><script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{7*7}}"


def ids_of(page: str) -> list[str]:
    """Return the ids in the first form of the page."""
    form = page.split('name="q"', 1)[1].split("</form>", 1)[0]
    return re.findall(r'name="id" value="([0-9a-f]{32})"', form)


def send(visitor: Visitor, ids: list[str], **fields: str) -> TestResponse:
    data = {"csrf_token": visitor.token(), "id": ids, **fields}
    return visitor.client.post("/republish", data=data, headers=PAGE)


def test_message_is_republished_byte_for_byte(
    acting: Visitor, acting_app: Flask, topics: Topics, admin: Visitor
) -> None:
    pushed = store(acting_app, topics.name, b"\xff\r\n\x00", {"a": HOSTILE, "": "no name", "googclient_x": "1"}, "k\r1")
    answer = acting.post(f"/messages/{pushed.id}/republish")
    assert answer.status_code == 303
    (heard,) = topics.heard()
    expected = {"a": HOSTILE, "replayed-from": pushed.message_id, "replayed-by": acting.name}
    assert (heard.data, dict(heard.attributes), heard.ordering_key) == (pushed.data, expected, "k\r1")
    assert f"id={heard.message_id}" in answer.headers["Location"]
    audit = admin.get(f"/audit?who={acting.name}&what=message.republish").text
    assert f"done: message {heard.message_id}; from messages/{pushed.id}" in audit


@pytest.mark.parametrize("to", ["topic", "source"])
def test_form_that_is_sent_twice_publishes_once(acting: Visitor, acting_app: Flask, topics: Topics, to: str) -> None:
    subscription = topics.dead if to == "source" else topics.name
    stored = store(acting_app, subscription, to.encode(), {SOURCE_ATTRIBUTE: topics.name})
    token = acting.token()
    answers = [acting.post(f"/messages/{stored.id}/republish", csrf_token=token, to=to) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    many = [send(acting, [stored.id], to=to) for _ in range(2)]
    assert all(f"1 of 1 published to {topics.name}." in answer.text for answer in many)
    send(acting, [store(acting_app, topics.name, b"last").id])
    assert [heard.data for heard in topics.heard(3)] == [to.encode(), to.encode(), b"last"], "a copy of each form"


def test_replay_and_original_link_to_each_other(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    first = store(acting_app, topics.name)
    replay = store(acting_app, topics.name, attributes={"replayed-from": first.message_id, "replayed-by": HOSTILE})
    page = " ".join(acting.get(f"/messages/{replay.id}").text.split())
    assert f'Says it was replayed from <a href="/messages/{first.id}">message {first.message_id}</a>, by ' in page
    assert "any publisher can write them" in page
    assert "<script>alert" not in page
    assert (
        f'">Message {replay.message_id}</a> says it was replayed from this one'
        in acting.get(f"/messages/{first.id}").text
    )
    lost = store(acting_app, topics.name, attributes={"replayed-from": HOSTILE})
    page = acting.get(f"/messages/{lost.id}").text
    assert "which is not kept here" in page
    assert "<script>alert" not in page


def test_replay_loop_is_visible(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    first = store(acting_app, topics.name)
    second = store(acting_app, topics.name, attributes={"replayed-from": first.message_id})
    third = store(acting_app, topics.name, attributes={"replayed-from": second.message_id})
    page = " ".join(acting.get(f"/messages/{second.id}").text.split())
    assert f'from <a href="/messages/{first.id}">' in page
    assert f'<a href="/messages/{third.id}">Message' in page


def test_many_replays_become_a_link_to_the_list(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    first = store(acting_app, topics.name)
    for _ in range(6):
        store(acting_app, topics.name, attributes={"replayed-from": first.message_id})
    page = acting.get(f"/messages/{first.id}").text
    assert page.count("says it was replayed from this one") == 5
    found = re.search(r'href="(/messages\?q=[^"]+)">All replays', page)
    assert found
    assert acting.get(unescape(found.group(1))).text.count('<tr class="message"') == 6


@pytest.mark.parametrize("part", ["", "?part=detail"])
def test_viewer_sees_the_origin_and_no_controls(
    reading: Visitor, acting: Visitor, acting_app: Flask, topics: Topics, part: str
) -> None:
    replay = store(acting_app, topics.name, attributes={"replayed-from": "1", SOURCE_ATTRIBUTE: topics.name})
    page = reading.get(f"/messages/{replay.id}{part}").text
    assert "Says it was replayed from" in page
    assert "Says it is a dead letter of the subscription" in page
    assert "republish" not in page
    assert "/publish?from=" not in page
    assert "Send back to source" in acting.get(f"/messages/{replay.id}{part}").text


def test_hostile_replay_attributes_change_no_page(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    def skeleton(text: str) -> list[tuple[str, ...]]:
        attributes = {"replayed-from": text, "replayed-by": text, SOURCE_ATTRIBUTE: text}
        return Skeleton(
            acting.get(f"/messages/{store(acting_app, topics.name, attributes=attributes).id}").text
        ).elements

    assert skeleton(HOSTILE) == skeleton("harmless")


def test_dead_letter_goes_back_to_its_source(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    attributes = {
        "team": "payments",
        SOURCE_ATTRIBUTE: topics.name,
        "CloudPubSubDeadLetterSourceSubscriptionProject": topics.settings.google_cloud_project,
        "CloudPubSubDeadLetterSourceDeliveryCount": "10",
        "CloudPubSubDeadLetterSourceTopicPublishTime": "2026-01-02T03:04:05.678+00:00",
    }
    dead = store(acting_app, topics.dead, b"dead", attributes, "k")
    answer = acting.post(f"/messages/{dead.id}/republish", to="source")
    assert answer.status_code == 303
    (heard,) = topics.heard()
    expected = {"team": "payments", "replayed-from": dead.message_id, "replayed-by": acting.name}
    assert (heard.data, dict(heard.attributes), heard.ordering_key) == (b"dead", expected, "k")
    # Without to=source it goes to its topic unchanged.
    assert acting.post(f"/messages/{dead.id}/republish").status_code == 303
    assert dict(topics.heard(topic=topics.dead)[0].attributes)[SOURCE_ATTRIBUTE] == topics.name


@pytest.mark.parametrize(
    ("attributes", "status", "sentence"),
    [
        ({}, 400, "is no dead letter: its attributes name no source"),
        ({SOURCE_ATTRIBUTE: "{heard}"}, 303, ""),
        ({SOURCE_ATTRIBUTE: "builds-monitor"}, 400, "not monitored here"),
        ({SOURCE_ATTRIBUTE: "no-such-subscription"}, 404, ""),
        ({SOURCE_ATTRIBUTE: "../topics/x"}, 400, ""),
        ({SOURCE_ATTRIBUTE: "x", "CloudPubSubDeadLetterSourceSubscriptionProject": "other"}, 400, "not ours"),
    ],
)
def test_forged_source_reaches_no_other_topic(
    acting: Visitor, acting_app: Flask, topics: Topics, attributes: dict[str, str], status: int, sentence: str
) -> None:
    # The source may be a subscription that is not monitored if its topic is one of ours.
    named = {name: value.format(heard=f"{topics.name}-heard") for name, value in attributes.items()}
    dead = store(acting_app, topics.dead, b"x", named)
    answer = acting.post(f"/messages/{dead.id}/republish", to="source")
    assert answer.status_code == status
    assert sentence in answer.text
    if status == 303:
        assert topics.heard()[0].data == b"x"


def test_matching_messages_are_republished_in_order(
    acting: Visitor, acting_app: Flask, topics: Topics, admin: Visitor
) -> None:
    stored = [store(acting_app, topics.name, b"%d" % number, {"batch": "b1"}, "k") for number in range(7)]
    store(acting_app, topics.name, b"another", {"batch": "b2"})
    page = acting.get("/republish?q=batch%3Db1").text
    assert "Republish 7 messages?" in page
    assert f"7 to <strong>{topics.name}</strong>" in page
    assert set(ids_of(page)) == {one.id for one in stored}
    # All have the same time of receipt, as in one batch: the publish time decides the order.
    documents = services_of(acting_app).database.documents.collection("messages")
    for one in stored:
        documents.document(one.id).update({"received_at": stored[0].publish_time})
    answer = send(acting, ids_of(page), q="batch=b1")
    assert f"7 of 7 published to {topics.name}." in answer.text
    heard = topics.heard(7)
    assert [one.data for one in heard] == [one.data for one in stored]
    assert [one.attributes["replayed-from"] for one in heard] == [one.message_id for one in stored]
    assert "done: 7 published; 7 messages, &#39;batch=b1&#39;" in admin.get("/audit?what=message.republish").text


def test_several_dead_letters_go_back_to_their_source(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    attributes = {"batch": "d1", SOURCE_ATTRIBUTE: topics.name}
    stored = [store(acting_app, topics.dead, b"%d" % number, attributes) for number in range(3)]
    page = acting.get("/republish?q=batch%3Dd1").text
    assert f"3 to <strong>{topics.dead}</strong>" in page
    assert "Send 3 back" in page
    answer = send(acting, [one.id for one in stored], to="source")
    assert f"3 of 3 published to {topics.name}." in answer.text
    assert all(SOURCE_ATTRIBUTE not in one.attributes for one in topics.heard(3))


def test_nothing_is_published_if_a_message_is_missing(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    one = store(acting_app, topics.name)
    for ids, status in (([], 400), ([one.id, "0" * 32], 404), (["x"], 404), ([one.id] * 501, 400)):
        answer = send(acting, ids)
        assert answer.status_code == status
        assert "nothing was published" in answer.text
    send(acting, [one.id])
    assert topics.heard()[0].attributes["replayed-from"] == one.message_id


def test_refused_messages_are_listed_and_the_others_published(
    acting: Visitor, acting_app: Flask, topics: Topics
) -> None:
    # With the two attributes that a copy adds, there would be 101.
    full = store(acting_app, topics.name, attributes={"batch": "f1", **{f"a{number}": "1" for number in range(98)}})
    answer = acting.post(f"/messages/{full.id}/republish")
    assert answer.status_code == 400
    assert "attributes: are 101; Pub/Sub takes 100." in answer.text
    good = [store(acting_app, topics.name, b"good", {"batch": "f1"}) for _ in range(2)]
    page = acting.get("/republish?q=batch%3Df1").text
    assert "Republish 2 messages?" in page
    assert "Pub/Sub would not take 1 again" in page
    assert set(ids_of(page)) == {one.id for one in good}
    answer = send(acting, [full.id, *(one.id for one in good)])
    assert answer.status_code == 200
    assert f"2 of 2 published to {topics.name}." in answer.text
    assert f'<a href="/messages/{full.id}">' in answer.text
    assert "attributes: are 101; Pub/Sub takes 100." in answer.text
    assert [one.data for one in topics.heard(2)] == [b"good", b"good"]
    answer = send(acting, [full.id])
    assert (answer.status_code, "Nothing was published." in answer.text) == (400, True)


def test_dead_letter_with_too_many_attributes_for_a_copy_goes_back(
    acting: Visitor, acting_app: Flask, topics: Topics
) -> None:
    attributes = {SOURCE_ATTRIBUTE: topics.name, f"{SOURCE_ATTRIBUTE}Project": "", "batch": "f2"}
    full = store(acting_app, topics.dead, attributes={**attributes, **{f"a{number}": "1" for number in range(96)}})
    page = acting.get("/republish?q=batch%3Df2").text
    assert "Pub/Sub would not take 1 again" in page
    assert "Send 1 back" in page
    assert f"1 of 1 published to {topics.name}." in send(acting, [full.id], to="source").text
    assert len(topics.heard()[0].attributes) == 99


def test_republish_refuses_more_than_its_bounds(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    stored = [store(acting_app, topics.name) for _ in range(2)]
    documents = services_of(acting_app).database.documents.collection("messages")
    for one in stored:
        documents.document(one.id).update({"size_bytes": 60_000_000})
    answer = send(acting, [one.id for one in stored])
    assert answer.status_code == 400
    assert "are more than 100 MB together; nothing was published" in answer.text
    for one in stored:
        documents.document(one.id).delete()


def test_published_messages_are_reported_if_a_later_topic_fails(acting: Visitor, topics: Topics) -> None:
    proxy = ListenProxy(topics.settings.firestore_emulator_host)
    settings = replace(topics.settings, firestore_emulator_host=proxy.address)
    with running(settings) as app:
        operator = Visitor(app, acting.name)
        first, second = store(app, topics.name, b"first"), store(app, topics.dead, b"second")
        token = operator.token()
        proxy.commits_left = 2  # the two audit entries of the first topic
        data = {"csrf_token": token, "id": [first.id, second.id]}
        answer = operator.client.post("/republish", data=data, headers=PAGE)
    proxy.close()
    assert topics.heard()[0].data == b"first"
    assert answer.status_code == 502
    assert f"1 of 1 published to {topics.name}." in answer.text
    assert f"0 of 1 published to {topics.dead}." in answer.text
    assert "did not answer" in answer.text
    assert "commits are refused" not in answer.text


@pytest.mark.parametrize(("query", "status"), [("q=kind:x", 400), ("before=1", 400), ("subscription=other", 400)])
def test_invalid_filter_answers_400_on_the_republish_page(acting: Visitor, query: str, status: int) -> None:
    assert acting.get(f"/republish?{query}").status_code == status


def test_hostile_filter_changes_no_republish_page(acting: Visitor) -> None:
    texts = (f"nowhere{HOSTILE}", "nowhere at all")
    harmful, harmless = (Skeleton(acting.get(f"/republish?q={quote(quoted(text))}").text) for text in texts)
    assert harmful.elements == harmless.elements


def test_replay_of_a_replay_names_the_previous_message() -> None:
    message = stored_message(1)
    copy = replay_of(message, b"x", "user")
    assert copy == OutgoingMessage(b"x", {"replayed-from": "1", "replayed-by": "user"}, "")
    assert replay_to_source(message, b"x", "user") == copy


def test_message_page_is_shown_without_pubsub_and_replays(operator: Visitor, app: Flask) -> None:
    # The application of these fixtures has no Pub/Sub.
    pushed = store(app, "builds")
    assert operator.get(f"/messages/{pushed.id}").status_code == 200
    assert operator.post(f"/messages/{pushed.id}/republish").status_code == 503
    assert services_of(app).all_messages.get(document_id("builds", pushed.message_id)) is not None
