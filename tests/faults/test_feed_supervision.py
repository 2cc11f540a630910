"""The feed recovers from every fault of its stream, at most once a second, and shows every message once."""

import threading
import time
from dataclasses import replace

import grpc
import pytest
from google.cloud.firestore_v1 import types

from tests.support.firestore.listen_proxy import ListenProxy
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import QUICK, Viewing, viewing
from tests.support.waiting import wait_until
from web.live.listener import FeedTiming

CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


def is_reconnecting(view: Viewing) -> bool:
    return view.feed.state.status == "reconnecting"


def is_live(view: Viewing) -> bool:
    return view.feed.state.status == "live"


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_every_status_ends_in_recovery_without_loss(
    code: grpc.StatusCode, view: Viewing, proxy: ListenProxy, writer: Writer
) -> None:
    client = view.live_client()
    before = writer.message()
    wait_until(lambda: before in client.ids(), "the first message's arrival")
    proxy.refuse = code
    proxy.cut(code)
    wait_until(lambda: is_reconnecting(view), "the state reconnecting")
    assert view.feed.state.error, "the state does not say what is wrong"
    during = writer.messages(3)
    time.sleep(0.3)
    proxy.refuse = None
    wait_until(lambda: is_live(view), "going live again")
    after = writer.message()
    wait_until(lambda: after in client.ids(), "a later message's arrival")
    assert sorted(client.ids()[-5:]) == sorted([before, *during, after])
    assert len(client.ids()) == len(set(client.ids())), "a message was sent twice"
    assert [frame.data["status"] for frame in client.of("feed")][-2:] == ["reconnecting", "live"]


def test_stream_that_the_server_ends_normally_is_opened_again(
    view: Viewing, proxy: ListenProxy, writer: Writer
) -> None:
    client = view.live_client()
    proxy.cut(None)
    wait_until(lambda: len(proxy.opened_at) == 2, "a second stream")
    message = writer.message()
    wait_until(lambda: message in client.ids(), "the message's arrival")


def assert_at_most_once_a_second(opened_at: list[float], began: float) -> None:
    """Assert that opening number n came at least n seconds after the feed began; a busy machine only delays it.

    tests/web/live/test_backoff.py holds the pause between two openings.
    """
    early = [number for number, at in enumerate(opened_at) if at - began < number]
    assert not early, f"openings {early} came early: {[at - began for at in opened_at]}"


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.PERMISSION_DENIED])
def test_refusing_server_is_asked_at_most_once_a_second(
    code: grpc.StatusCode, proxy: ListenProxy, firestore: LocalFirestore
) -> None:
    proxy.refuse = code
    began = time.monotonic()
    with viewing(proxy.address, FeedTiming()) as view:
        view.client()
        wait_until(lambda: len(proxy.opened_at) >= 3, "a third stream")
    assert_at_most_once_a_second(proxy.opened_at, began)


def test_stream_that_dies_at_once_is_opened_at_most_once_a_second(
    proxy: ListenProxy, firestore: LocalFirestore
) -> None:
    began = time.monotonic()
    with viewing(proxy.address, FeedTiming()) as view:
        client = view.client()
        stop = threading.Event()

        def cut_when_live() -> None:
            while not stop.wait(0.01):
                if is_live(view):
                    proxy.cut(grpc.StatusCode.UNAVAILABLE)

        cutter = threading.Thread(target=cut_when_live)
        cutter.start()
        try:
            wait_until(lambda: len(proxy.opened_at) >= 4, "a fourth stream")
        finally:
            stop.set()
            cutter.join()
        client.close()
    assert_at_most_once_a_second(proxy.opened_at, began)


def test_refusal_is_a_state_for_readers_and_a_sentence_inside(view: Viewing, proxy: ListenProxy) -> None:
    proxy.refuse = grpc.StatusCode.PERMISSION_DENIED
    client = view.client()
    wait_until(lambda: is_reconnecting(view), "the state reconnecting")
    assert "listening is refused" in view.feed.state.error
    wait_until(lambda: any(one.data["status"] == "reconnecting" for one in client.of("feed")), "the feed event")
    assert {name for one in client.of("feed") for name in one.data} == {"status", "since"}, "/ready has the same"


def test_target_given_up_on_an_open_stream_is_shown_and_tried_again(
    view: Viewing, proxy: ListenProxy, writer: Writer
) -> None:
    client = view.live_client()
    response = types.ListenResponse.pb()()
    response.target_change.target_change_type = types.TargetChange.TargetChangeType.REMOVE
    response.target_change.target_ids.append(1)
    response.target_change.cause.code = 9
    response.target_change.cause.message = "The query requires an index."
    proxy.say(response)
    # The next stream may be open before the state is looked at.
    wait_until(lambda: "requires an index" in view.logged.getvalue(), "the sentence about the index")
    wait_until(lambda: len(proxy.opened_at) == 2 and is_live(view), "going live again")
    message = writer.message()
    wait_until(lambda: message in client.ids(), "the message's arrival")


def test_restarted_firestore_is_found_again_without_loss(firestore: LocalFirestore) -> None:
    with viewing(firestore.address) as view:
        client = view.live_client()
        firestore.down()
        wait_until(lambda: is_reconnecting(view), "the state reconnecting")
        time.sleep(1)
        firestore.up()
        writer = Writer(firestore.address)
        message = writer.message()
        wait_until(lambda: is_live(view), "going live again")
        wait_until(lambda: message in client.ids(), "the message's arrival")
        writer.close()
        client.close()


def test_client_that_connects_during_an_outage_gets_everything_later(firestore: LocalFirestore) -> None:
    writer = Writer(firestore.address)
    message = writer.message()
    firestore.down()
    with viewing(firestore.address) as view:
        client = view.client()
        wait_until(lambda: client.of("feed") and is_reconnecting(view), "the state reconnecting")
        firestore.up()
        wait_until(lambda: message in client.ids(), "the replay of what was stored before")
        client.close()
    writer.close()


def test_half_open_stream_is_given_up_when_a_message_was_missed(proxy: ListenProxy, writer: Writer) -> None:
    with viewing(proxy.address, replace(QUICK, silence_seconds=0.6)) as view:
        client = view.live_client()
        proxy.mute = True
        message = writer.message()
        wait_until(lambda: is_reconnecting(view), "noticing the silence", 5)
        assert "silent" in view.feed.state.error
        proxy.mute = False
        wait_until(lambda: message in client.ids(), "the missed message's arrival")
        client.close()


def test_silent_stream_is_given_up_when_the_channel_does_not_answer(proxy: ListenProxy) -> None:
    with viewing(proxy.address, replace(QUICK, silence_seconds=0.6)) as view:
        client = view.live_client()
        proxy.mute, proxy.refuse_reads = True, grpc.StatusCode.UNAVAILABLE
        wait_until(lambda: is_reconnecting(view), "noticing the silence", 5)
        assert "reads are refused" in view.feed.state.error
        proxy.mute, proxy.refuse_reads = False, None
        wait_until(lambda: is_live(view), "going live again")
        client.close()


def test_stream_that_never_begins_is_given_up(proxy: ListenProxy) -> None:
    with viewing(proxy.address, replace(QUICK, silence_seconds=0.5)) as view:
        proxy.mute = True
        client = view.client()
        wait_until(lambda: "never began" in view.feed.state.error, "noticing that nothing came", 5)
        proxy.mute = False
        wait_until(lambda: is_live(view), "going live")
        client.close()


def test_quiet_stream_is_left_alone_while_the_channel_answers(proxy: ListenProxy, writer: Writer) -> None:
    with viewing(proxy.address, replace(QUICK, silence_seconds=0.3)) as view:
        client = view.live_client()
        time.sleep(1.5)
        assert len(proxy.opened_at) == 1
        assert [one.data["status"] for one in client.of("feed")][-1] == "live"
        client.close()
