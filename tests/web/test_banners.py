"""Banners show the state that this process observed last, for five minutes, without a call to Pub/Sub."""

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
from web.banners import MAX_AGE, banners_of
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
        (
            replace(RECEIVING, differences=("the audience is x, not y",)),
            ["The receiver rejects the pushes of builds: the audience is x, not y."],
        ),
        (replace(RECEIVING, state="missing"), ["The subscription builds does not exist"]),
        (replace(RECEIVING, state="denied"), ["The subscription builds cannot be read"]),
        (replace(RECEIVING, state="stopped", checked_at=NOW - MAX_AGE - timedelta(seconds=1)), []),
        (replace(RECEIVING, state="stopped", checked_at=None), []),
    ],
)
def test_unexpected_state_has_a_banner_for_five_minutes(delivery: Delivery, sentences: list[str]) -> None:
    banners = banners_of([delivery], LIVE, NOW)
    assert len(banners) == len(sentences)
    assert all(sentence in banner.sentence for banner, sentence in zip(banners, sentences, strict=True))
    assert all(banner.as_of == NOW for banner in banners)


def test_feed_without_firestore_has_a_banner() -> None:
    firestore = LocalFirestore()
    proxy = ListenProxy(firestore.address)
    with viewing(proxy.address) as view:
        view.live_client()
        assert banners_of([], view.feed.state, NOW) == []
        proxy.refuse = grpc.StatusCode.UNAVAILABLE
        proxy.cut(grpc.StatusCode.UNAVAILABLE)
        wait_until(lambda: view.feed.state.status == "reconnecting", "the feed to reconnect")
        (banner,) = banners_of([], view.feed.state, NOW)
        assert "The live feed is interrupted" in banner.sentence
    proxy.close()
    firestore.close()


def test_pages_that_act_show_that_delivery_is_stopped(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    pushed = store(acting_app, topics.name)
    pages = (f"/messages/{pushed.id}", "/publish", f"/publish?from={pushed.id}", "/republish?q=id%3A0")
    sentence = f"Delivery of {topics.name} is stopped"
    assert not any(sentence in acting.get(page).text for page in pages), "nothing has observed the subscription yet"
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
    assert sentence in acting.get("/publish").text, "it shows the last observation, with its time"
    services_of(acting_app).delivery_control.observe(topics.name)
    for page in pages:
        text = acting.get(page).text
        assert sentence not in text
        assert f"The receiver rejects the pushes of {topics.name}: the push service account is none" in text
