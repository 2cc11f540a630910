"""Notices on pages beside the list: what this process saw last, for a while, without asking anybody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from flask import Flask
from google.pubsub_v1 import PushConfig

from infra.pubsub.delivery_state import Delivery
from tests.support.firestore.listen_proxy import ListenProxy
from tests.support.firestore.servers import LocalFirestore
from tests.support.viewer.feed import viewing
from tests.support.viewer.topics import Topics, store
from tests.support.viewer.visitor import Visitor, services_of
from tests.support.waiting import wait_until
from web.banners import KEEP, notices
from web.live.feed import FeedState

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
LIVE = FeedState("live", NOW)
RECEIVING = Delivery("builds", "receiving", checked_at=NOW)


@pytest.mark.parametrize(
    ("delivery", "sentences"),
    [
        (RECEIVING, []),
        (replace(RECEIVING, state="unknown"), []),
        (replace(RECEIVING, state="stopped"), ["Delivery of builds is stopped: new messages wait in Pub/Sub."]),
        (replace(RECEIVING, ours=False), ["builds pushes to another address than this monitor's: new messages do not"]),
        (replace(RECEIVING, differences=("the audience is x, not y",)), ["refused here: the audience is x, not y."]),
        (replace(RECEIVING, state="missing"), ["The subscription builds is not there"]),
        (replace(RECEIVING, state="denied"), ["The subscription builds cannot be read"]),
        (replace(RECEIVING, state="stopped", checked_at=NOW - KEEP - timedelta(seconds=1)), []),
        (replace(RECEIVING, state="stopped", checked_at=None), []),
    ],
)
def test_what_is_not_as_expected_is_said_while_it_is_known(delivery: Delivery, sentences: list[str]) -> None:
    found = notices([delivery], LIVE, NOW)
    assert len(found) == len(sentences)
    assert all(sentence in one.sentence for one, sentence in zip(found, sentences, strict=True))
    assert all(one.as_of == NOW for one in found)


def test_a_feed_that_lost_firestore_is_said_to_be_interrupted() -> None:
    firestore = LocalFirestore()
    proxy = ListenProxy(firestore.address)
    with viewing(proxy.address) as view:
        view.live_client()
        assert notices([], view.feed.state, NOW) == []
        proxy.refuse = grpc.StatusCode.UNAVAILABLE
        proxy.cut(grpc.StatusCode.UNAVAILABLE)
        wait_until(lambda: view.feed.state.status == "reconnecting", "the feed's noticing")
        (found,) = notices([], view.feed.state, NOW)
        assert "The live feed is interrupted" in found.sentence
    proxy.close()
    firestore.close()


def test_every_page_that_acts_says_that_delivery_is_stopped(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    pushed = store(acting_app, topics.name)
    pages = (f"/messages/{pushed.id}", "/publish", f"/publish?from={pushed.id}", "/republish?q=id%3A0")
    sentence = f"Delivery of {topics.name} is stopped"
    assert not any(sentence in acting.get(page).text for page in pages), "nobody has looked yet"
    services_of(acting_app).delivery_control.observe(topics.name)
    assert all(sentence in acting.get(page).text for page in pages)
    data = {"csrf_token": acting.token(), "id": [pushed.id]}
    assert sentence in acting.client.post("/republish", data=data).text
    topics.pubsub.subscriber.modify_push_config(
        subscription=topics.settings.subscription_path(topics.name),
        push_config=PushConfig(push_endpoint="http://127.0.0.1:9/push"),
        timeout=5,
        retry=None,
    )
    assert sentence in acting.get("/publish").text, "it is what was seen last, and says as of when"
    services_of(acting_app).delivery_control.observe(topics.name)
    for page in pages:
        text = acting.get(page).text
        assert sentence not in text
        assert "is refused here: the push service account is none" in text
