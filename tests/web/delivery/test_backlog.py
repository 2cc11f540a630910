"""The backlog comes from the local cloud or from Cloud Monitoring; an unusable answer gives an unknown backlog."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from google.pubsub_v1 import PubsubMessage

from infra.logs import Logger
from infra.pubsub.backlog import BacklogReader, SubscriptionBacklog, _anonymous
from infra.pubsub.delivery_state import Delivery
from tests.support.firestore.settings import settings_for
from tests.support.viewer.topics import Topics
from tests.support.viewer.visitor import SCRIPT, Visitor, services_of
from tests.support.waiting import wait_until
from web.delivery.backlog import backlog_words, lost_from

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


@dataclass
class Monitoring:
    """A server on loopback that stands in for Cloud Monitoring, with answers as its documentation describes them."""

    url: str = ""
    answer: Callable[[str], tuple[int, Any]] = lambda _: (200, {})
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def monitoring() -> Iterator[Monitoring]:
    found = Monitoring()
    found.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            found.asked.append({"path": [parts.path], **parse_qs(parts.query)})
            found.may_answer.wait(30)
            status, answer = found.answer(parse_qs(parts.query)["filter"][0])
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()


def backlogs(url: str) -> BacklogReader:
    settings = settings_for("127.0.0.1:9", SUBSCRIPTIONS="builds,orders")
    return BacklogReader(settings, Logger("CRITICAL"), url, _anonymous)


def series(subscription: str, value: int, end: str = "2026-11-23T14:18:00Z") -> dict[str, Any]:
    """Return one time series as projects.timeSeries.list answers it, newest point first."""
    older = {
        "interval": {"startTime": "2026-11-23T14:17:00Z", "endTime": "2026-11-23T14:17:00Z"},
        "value": {"int64Value": "7"},
    }
    newest = {"interval": {"startTime": end, "endTime": end}, "value": {"int64Value": str(value)}}
    return {
        "metric": {"type": "x"},
        "resource": {"type": "pubsub_subscription", "labels": {"project_id": "p", "subscription_id": subscription}},
        "metricKind": "GAUGE",
        "valueType": "INT64",
        "points": [newest, older],
    }


def test_both_metrics_are_requested_once_and_cached(monitoring: Monitoring) -> None:
    def answer(asked: str) -> tuple[int, Any]:
        if "num_undelivered_messages" in asked:
            return 200, {"timeSeries": [series("builds", 1240), series("orders", 0)], "unit": "1"}
        return 200, {"timeSeries": [series("builds", 720), series("orders", 0)]}

    monitoring.answer = answer
    found = backlogs(monitoring.url)
    at = datetime(2026, 11, 23, 14, 18, tzinfo=UTC)
    expected = {"builds": SubscriptionBacklog(1240, 720, at), "orders": SubscriptionBacklog(0, None, at)}
    assert [found.all() for _ in range(3)] == [expected] * 3
    assert len(monitoring.asked) == 2
    for asked in monitoring.asked:
        assert asked["path"] == ["/v3/projects/subscope-test/timeSeries"]
        assert asked["filter"][0].endswith('resource.labels.subscription_id = one_of("builds", "orders")')
        began, ended = (datetime.fromisoformat(asked[f"interval.{name}Time"][0]) for name in ("start", "end"))
        assert ended - began == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, {}),
        (200, {"timeSeries": []}),
        (200, []),
        (200, b"<html>"),
        (200, {"timeSeries": [{}]}),
        (200, {"timeSeries": [{**series("builds", 1), "points": [{"value": {"doubleValue": 1}}]}]}),
        (403, {"error": {"code": 403}}),
        (404, {}),
        (500, b""),
    ],
)
def test_unusable_answer_gives_no_backlog(monitoring: Monitoring, status: int, said: Any) -> None:
    monitoring.answer = lambda _: (status, said)
    assert backlogs(monitoring.url).all() == {}


def test_backlog_is_empty_when_the_server_is_down() -> None:
    assert backlogs("http://127.0.0.1:9").all() == {}


def test_slow_answer_delays_no_page(monitoring: Monitoring) -> None:
    monitoring.answer = lambda _: (200, {"timeSeries": [series("builds", 5)]})
    monitoring.may_answer.clear()
    found = backlogs(monitoring.url)
    assert found.all(wait_seconds=0.1) == {}
    monitoring.may_answer.set()
    wait_until(lambda: found.all(wait_seconds=0.1), "the figures", 5)
    assert len(monitoring.asked) == 2, "a page did not wait for the request that was running"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "backlog unknown"),
        (SubscriptionBacklog(0, None, NOW), "nothing waiting"),
        (SubscriptionBacklog(1, 0, NOW), "1 waiting, oldest 1 s"),
        (SubscriptionBacklog(1240, 725, NOW), "1,240 waiting, oldest 12 min"),
        (SubscriptionBacklog(2, 3 * 3600 + 59, NOW), "2 waiting, oldest 3 h"),
        (SubscriptionBacklog(2, 2 * 86400 - 1, NOW), "2 waiting, oldest 1 d"),
        (SubscriptionBacklog(12, None, NOW), "12 waiting"),
    ],
)
def test_words_of_a_backlog(found: SubscriptionBacklog | None, words: str) -> None:
    assert backlog_words(found) == words


STOPPED = Delivery("builds", "stopped", retention=timedelta(days=7))


@pytest.mark.parametrize(
    ("found", "delivery", "lost"),
    [
        (SubscriptionBacklog(3, 3600, NOW), STOPPED, NOW + timedelta(days=7, hours=-1)),
        (
            SubscriptionBacklog(3, 3600, NOW),
            replace(STOPPED, retention=timedelta(minutes=10)),
            NOW - timedelta(minutes=50),
        ),
        (
            SubscriptionBacklog(3, 3600, NOW),
            replace(STOPPED, state="receiving", ours=False),
            NOW + timedelta(days=7, hours=-1),
        ),
        (SubscriptionBacklog(3, 3600, NOW), replace(STOPPED, state="receiving"), None),
        (SubscriptionBacklog(0, None, NOW), STOPPED, None),
        (None, STOPPED, None),
        (SubscriptionBacklog(3, 3600, NOW), replace(STOPPED, retention=None), None),
        (SubscriptionBacklog(3, 3600, NOW), None, None),
    ],
)
def test_undelivered_messages_are_lost_after_the_retention(
    found: SubscriptionBacklog | None, delivery: Delivery | None, lost: datetime | None
) -> None:
    assert lost_from(found, delivery) == lost


def strip_showing(visitor: Visitor, subscription: str, words: str) -> str:
    """Return a subscription's part of the strip once it contains ``words``; the figures are up to a second old."""

    def section() -> str:
        strip = visitor.get("/messages").text.split('id="deliveries"', 1)[1]
        return strip.split(f'data-subscription="{subscription}"', 1)[1].split("</section>", 1)[0]

    wait_until(lambda: words in section(), f"{words!r} in the strip")
    return section()


def test_strip_shows_when_messages_are_lost(reading: Visitor, topics: Topics) -> None:
    message = PubsubMessage(data=b"waits")
    topics.pubsub.publisher.publish(topic=topics.path(topics.dead), messages=[message], timeout=5, retry=None)
    section = strip_showing(reading, topics.dead, "lost from")
    shown = re.search(r'lost from <time datetime="([^"]+)"', section)
    assert shown
    assert re.search(r"\(as of \d\d:\d\d\) lost from", " ".join(re.sub(r"<[^>]+>", "", section).split()))
    # The local cloud keeps seven days unless told otherwise, as Pub/Sub does.
    assert timedelta(days=6, hours=23) < datetime.fromisoformat(shown.group(1)) - datetime.now(UTC) < timedelta(days=7)
    data = reading.get("/backlog", SCRIPT).json
    assert data is not None
    figures = data["subscriptions"][topics.dead]
    kept = datetime.fromisoformat(figures["lost_from"]) - datetime.fromisoformat(figures["as_of"])
    assert kept == timedelta(days=7, seconds=-figures["oldest_seconds"])
    assert data["next_seconds"] == 5


def test_strip_shows_the_number_of_waiting_messages(
    acting: Visitor, reading: Visitor, acting_app: Flask, topics: Topics
) -> None:
    assert "nothing waiting" in acting.get("/messages").text
    for number in range(3):
        message = PubsubMessage(data=b"%d" % number)
        topics.pubsub.publisher.publish(topic=topics.path(topics.name), messages=[message], timeout=5, retry=None)
    for visitor in (acting, reading):
        section = strip_showing(visitor, topics.name, "3 waiting")
        assert re.search(r"3 waiting, oldest [0-9]+ s\b", section)
        assert "(as of <time" in section
    data = reading.get("/backlog", SCRIPT).json
    assert data is not None
    assert data["subscriptions"][topics.name]["messages"] == 3
    assert data["subscriptions"][topics.dead]["words"].startswith("1 waiting")
    assert services_of(acting_app).settings.backlog_url


def test_page_shows_unknown_without_an_answer(viewer: Visitor) -> None:
    # The application of these fixtures has no local cloud, and no credentials to ask Google.
    assert "backlog unknown" in viewer.get("/messages").text
    data = viewer.get("/backlog", SCRIPT).json
    assert data == {"subscriptions": {"builds": None}, "next_seconds": 30}
