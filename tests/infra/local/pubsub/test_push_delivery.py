"""Push delivery: the request, the acknowledging statuses, retries, and no lost message."""

import base64
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable

import pytest
from google.auth import jwt

from infra.local.processes.ports import free_port
from infra.local.pubsub import PubsubServer
from infra.local.pubsub.push_delivery import MAX_IN_FLIGHT
from infra.local.token_signer import Signer
from tests.support.pubsub import Bench, Push, Receiver
from tests.support.waiting import wait_until

Receivers = Callable[..., Receiver]
EMAIL = "push@p.iam.gserviceaccount.com"


def push_to(url: str, **token: str) -> dict[str, object]:
    return {"push_endpoint": url, **({"oidc_token": token} if token else {})}


def test_the_envelope_holds_the_message(bench: Bench, receiver: Receiver) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic, push_config=push_to(receiver.url))
    (message_id,) = bench.publish(topic, {"data": b"\x00\xffhi", "attributes": {"b": "2", "a": "ä\n"}})
    envelope = receiver.wait_for(1)[0].envelope
    message = envelope.pop("message")
    assert envelope == {"subscription": subscription}
    assert base64.b64decode(message.pop("data"), validate=True) == b"\x00\xffhi"
    assert message.pop("attributes") == {"a": "ä\n", "b": "2"}
    assert message.pop("messageId") == message.pop("message_id") == message_id
    assert message.pop("publishTime") == message.pop("publish_time")
    assert not message


def test_empty_fields_are_left_out_of_the_envelope(local: Bench, receiver: Receiver) -> None:
    topic = local.topic()
    local.subscription(topic, push_config=push_to(receiver.url))
    local.publish(topic, {"data": b"x"}, {"attributes": {"k": ""}})
    keys = [
        set(push.message) - {"messageId", "message_id", "publishTime", "publish_time"} for push in receiver.wait_for(2)
    ]
    assert sorted(map(sorted, keys)) == [["attributes"], ["data"]]


@pytest.mark.parametrize("write_metadata", [False, True])
def test_unwrapped_push_is_the_payload(local: Bench, receiver: Receiver, write_metadata: bool) -> None:
    topic = local.topic()
    unwrapped = {**push_to(receiver.url), "no_wrapper": {"write_metadata": write_metadata}}
    subscription = local.subscription(topic, push_config=unwrapped)
    (message_id,) = local.publish(topic, {"data": b'{"a":1}', "attributes": {"kind": "build", "not a header": "ä"}})
    push = receiver.wait_for(1)[0]
    assert push.body == b'{"a":1}'
    found = {name.lower(): value for name, value in push.headers.items()}
    metadata = {
        "kind": "build",
        "x-goog-pubsub-subscription-name": subscription,
        "x-goog-pubsub-message-id": message_id,
    }
    assert (metadata.items() <= found.items()) == write_metadata
    assert "not a header" not in found


def test_request_has_the_headers_of_the_service(local: Bench, receiver: Receiver) -> None:
    topic = local.topic()
    local.subscription(topic, push_config=push_to(receiver.url))
    local.publish(topic, {"data": b"x"})
    headers = receiver.wait_for(1)[0].headers
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"
    assert "Authorization" not in headers


@pytest.mark.parametrize("audience", ["https://receiver.example", ""])
def test_a_token_is_signed_for_the_account_and_the_audience(
    local: Bench, receiver: Receiver, signer: Signer, audience: str
) -> None:
    topic = local.topic()
    local.subscription(topic, push_config=push_to(receiver.url, service_account_email=EMAIL, audience=audience))
    local.publish(topic, {"data": b"x"})
    scheme, _, token = receiver.wait_for(1)[0].headers["Authorization"].partition(" ")
    claims = jwt.decode(token, signer.certificates(), audience=audience or receiver.url)  # type: ignore[no-untyped-call]
    assert scheme == "Bearer"
    assert (claims["email"], claims["email_verified"], claims["iss"]) == (EMAIL, True, "https://accounts.google.com")
    assert claims["exp"] - claims["iat"] == 3600


def test_one_token_serves_many_pushes(local: Bench, receiver: Receiver) -> None:
    topic = local.topic()
    local.subscription(topic, push_config=push_to(receiver.url, service_account_email=EMAIL, audience="many"))
    local.publish(topic, *({"data": b"x"} for _ in range(20)))
    assert len({push.headers["Authorization"] for push in receiver.wait_for(20)}) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_four_final_statuses_acknowledge(bench: Bench, receivers: Receivers, status: int) -> None:
    receiver = receivers(answer=lambda _: status)
    topic = bench.topic()
    subscription = bench.subscription(topic, push_config=push_to(receiver.url))
    bench.publish(topic, {"data": b"x"})
    receiver.wait_for(1)
    time.sleep(0.5)
    bench.set_push(subscription, "")
    assert len(receiver.pushes) == 1
    assert not bench.pull_now(subscription)


@pytest.mark.parametrize("status", [203, 205, 206, 299, 301, 302, 307, 400, 401, 403, 404, 410, 429, 500, 503])
def test_no_other_status_acknowledges(local: Bench, receivers: Receivers, status: int) -> None:
    receiver = receivers(answer=lambda _: status)
    topic = local.topic()
    subscription = local.subscription(topic, push_config=push_to(receiver.url))
    local.publish(topic, {"data": b"x"})
    receiver.wait_for(2)
    local.set_push(subscription, "")
    assert local.pull(subscription)[0].message.data == b"x"


def test_refused_message_is_pushed_until_acknowledged(bench: Bench, receivers: Receivers) -> None:
    receiver: Receiver = receivers(answer=lambda _: 204 if len(receiver.pushes) > 3 else 503)
    topic = bench.topic()
    bench.subscription(topic, push_config=push_to(receiver.url))
    bench.publish(topic, {"data": b"x"})
    receiver.wait_for(4)
    time.sleep(0.5)
    assert len(receiver.pushes) == 4
    assert len({push.message["messageId"] for push in receiver.pushes}) == 1


def test_pauses_between_attempts_grow(local: Bench, receivers: Receivers) -> None:
    receiver = receivers(answer=lambda _: 503)
    topic = local.topic()
    local.subscription(topic, push_config=push_to(receiver.url))
    local.publish(topic, {"data": b"x"})
    times = [push.at for push in receiver.wait_for(5)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == sorted(gaps)
    assert gaps[0] >= 0.09
    assert gaps[-1] >= 0.7


def test_a_retry_policy_spaces_the_attempts_of_its_message_only(local: Bench, receivers: Receivers) -> None:
    receiver = receivers(answer=lambda push: 503 if push.message["data"] == "YmFk" else 204)
    topic = local.topic()
    policy = {"minimum_backoff": {"nanos": 400_000_000}, "maximum_backoff": {"seconds": 1}}
    local.subscription(topic, push_config=push_to(receiver.url), retry_policy=policy)
    local.publish(topic, {"data": b"bad"}, *({"data": b"good"} for _ in range(50)))
    wait_until(lambda: data(receiver)["good"] == 50, "the good messages beside the bad one", 0.3)
    wait_until(lambda: data(receiver)["bad"] >= 2, "a second attempt of the bad message", 5)
    first, second = [push.at for push in receiver.pushes if push.message["data"] == "YmFk"][:2]
    assert second - first >= 0.39


def test_restarted_receiver_gets_every_message(local: Bench, receivers: Receivers) -> None:
    receiver = receivers()
    topic = local.topic()
    closed = f"http://127.0.0.1:{free_port()}/push"
    subscription = local.subscription(topic, push_config=push_to(closed))
    ids = local.publish(topic, *({"data": b"x"} for _ in range(50)))
    time.sleep(0.5)
    local.set_push(subscription, receiver.url)
    receiver.wait_for(50)
    assert {push.message["messageId"] for push in receiver.pushes} == set(ids)


def test_stopping_keeps_the_backlog(bench: Bench, receiver: Receiver) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic, push_config=push_to(receiver.url))
    bench.set_push(subscription, "")
    ids = bench.publish(topic, *({"data": b"x"} for _ in range(20)))
    time.sleep(0.5)
    assert not receiver.pushes
    bench.set_push(subscription, receiver.url)
    receiver.wait_for(20)
    assert {push.message["messageId"] for push in receiver.pushes} == set(ids)


def test_largest_message_is_pushed_complete(local: Bench, receiver: Receiver) -> None:
    topic = local.topic()
    local.subscription(topic, push_config=push_to(receiver.url))
    payload = bytes(range(250)) * 40_000
    attributes = {f"{number:0256}": "v" * 1024 for number in range(100)}
    local.publish(topic, {"data": payload, "attributes": attributes, "ordering_key": "k" * 1024})
    message = receiver.wait_for(1)[0].message
    assert base64.b64decode(message["data"]) == payload
    assert message["attributes"] == attributes


def test_no_push_starts_after_stopping_returned(local: Bench, receivers: Receivers) -> None:
    receiver = receivers(delay_seconds=0.05)
    topic = local.topic()
    subscription = local.subscription(topic, push_config=push_to(receiver.url))
    ids = local.publish(topic, *({"data": b"x"} for _ in range(1000)))
    receiver.wait_for(20)
    local.set_push(subscription, "")
    stopped = time.monotonic()
    time.sleep(0.5)
    # Pushes in flight may still arrive, within the time that a request takes on loopback.
    assert max(push.at for push in receiver.pushes) - stopped < 0.1
    local.set_push(subscription, receiver.url)
    wait_until(
        lambda: len({one.message["messageId"] for one in receiver.pushes}) == len(ids), "every message's arrival"
    )


def test_messages_of_one_ordering_key_are_pushed_one_after_the_other(local: Bench, receivers: Receivers) -> None:
    receiver = receivers(delay_seconds=0.01)
    topic = local.topic()
    local.subscription(topic, push_config=push_to(receiver.url), enable_message_ordering=True)
    local.publish(topic, *({"data": b"%d" % number, "ordering_key": "k"} for number in range(20)))
    got = [int(base64.b64decode(push.message["data"])) for push in receiver.wait_for(20)]
    assert got == list(range(20))
    assert receiver.most_at_once == 1
    assert {push.message["orderingKey"] for push in receiver.pushes} == {"k"}


def test_keys_do_not_wait_for_each_other(local: Bench, receivers: Receivers) -> None:
    receiver = receivers(answer=lambda push: 503 if push.message["orderingKey"] == "stuck" else 204)
    topic = local.topic()
    policy = {"minimum_backoff": {"nanos": 100_000_000}, "maximum_backoff": {"seconds": 1}}
    local.subscription(topic, push_config=push_to(receiver.url), enable_message_ordering=True, retry_policy=policy)
    local.publish(topic, *({"data": b"x", "ordering_key": key} for key in ("stuck", "stuck", "free", "free")))
    wait_until(
        lambda: Counter(one.message["orderingKey"] for one in receiver.pushes)["free"] == 2,
        "the free key's messages",
        5,
    )
    stuck = {push.message["messageId"] for push in receiver.pushes if push.message["orderingKey"] == "stuck"}
    assert len(stuck) == 1


def test_the_window_opens_with_acknowledgements(local: Bench, receivers: Receivers) -> None:
    receiver = receivers(delay_seconds=0.02)
    topic = local.topic()
    local.subscription(topic, push_config=push_to(receiver.url))
    local.publish(topic, *({"data": b"x"} for _ in range(300)))
    first, second = receiver.wait_for(300)[:2]
    assert second.at - first.at >= 0.015
    # With slow answers the window limits the number of waiting pushes, and not the speed of the machine.
    receiver.delay_seconds = 2.0
    local.publish(topic, *({"data": b"x"} for _ in range(300)))
    receiver.wait_for(600, seconds=20)
    assert receiver.most_at_once == MAX_IN_FLIGHT


@pytest.mark.slow
def test_message_is_pushed_again_after_a_slow_answer(local: Bench, receivers: Receivers) -> None:
    receiver = receivers(delay_seconds=11)
    topic = local.topic()
    local.subscription(topic, push_config=push_to(receiver.url), ack_deadline_seconds=10)
    local.publish(topic, {"data": b"x"})
    first, second = receiver.wait_for(2, seconds=13)
    assert second.at - first.at >= 10


def test_backlog_counts_unacknowledged_messages(local: Bench, pubsub: PubsubServer, receiver: Receiver) -> None:
    topic = local.topic()
    subscription = local.subscription(topic)
    assert pubsub.backlog(subscription) == {"messages": 0, "oldest_publish_time": None}
    local.publish(topic, {"data": b"x"}, {"data": b"y"})
    oldest = local.pull(subscription)[0].message.publish_time
    local.publish(topic, {"data": b"z"})
    waiting = pubsub.backlog(subscription)
    assert waiting is not None
    assert waiting["messages"] == 3
    assert str(waiting["oldest_publish_time"]).startswith(f"{oldest:%Y-%m-%dT%H:%M:%S}")
    assert pubsub.backlog("projects/p/subscriptions/missing") is None


def data(receiver: Receiver) -> Counter[str]:
    """Count the pushes of each payload."""
    return Counter(base64.b64decode(push.message["data"]).decode() for push in list(receiver.pushes))


def test_the_body_is_written_byte_for_byte_as_the_service_does(local: Bench, receiver: Receiver) -> None:
    topic = local.topic()
    policy = {"dead_letter_topic": topic, "max_delivery_attempts": 5}
    subscription = local.subscription(
        topic, push_config=push_to(receiver.url), dead_letter_policy=policy, enable_message_ordering=True
    )
    local.publish(topic, {"data": b"hi", "attributes": {"k": "v"}, "ordering_key": "o"})
    push: Push = receiver.wait_for(1)[0]
    sorted_keys = json.dumps(push.envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert push.body == sorted_keys.encode()
    assert list(push.envelope) == ["deliveryAttempt", "message", "subscription"]
    assert push.envelope["subscription"] == subscription
