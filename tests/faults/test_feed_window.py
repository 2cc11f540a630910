"""The listen window: RESET, a moving target, late commits and expiry lose, repeat or invent no message."""

import time
from datetime import UTC, datetime, timedelta

import grpc
from google.cloud.firestore_v1 import types

from tests.support.firestore.listen_proxy import ListenProxy
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import Viewing, viewing
from tests.support.waiting import wait_until
from web.live.sse import Position


def starts(proxy: ListenProxy) -> list[datetime]:
    """Return the start of each requested target of messages."""
    found = []
    for request in proxy.requests:
        for one in request.add_target.query.structured_query.where.composite_filter.filters:
            if one.field_filter.field.field_path == "received_at":
                found.append(one.field_filter.value.timestamp_value.ToDatetime(UTC))
    return found


def test_reset_with_the_whole_result_repeats_nothing(view: Viewing, proxy: ListenProxy, writer: Writer) -> None:
    client = view.live_client()
    messages = writer.messages(20)
    wait_until(lambda: len(client.ids()) == 20, "the messages' arrival")
    proxy.reset()
    # A new stream gets the whole result again, as after a RESET.
    proxy.cut(grpc.StatusCode.UNAVAILABLE)
    wait_until(lambda: len(proxy.opened_at) == 2 and view.feed.state.status == "live", "going live again")
    after = writer.message()
    wait_until(lambda: after in client.ids(), "a later message's arrival")
    assert sorted(client.ids()) == sorted([*messages, after])


def test_existence_filter_that_does_not_match_is_ignored(view: Viewing, proxy: ListenProxy, writer: Writer) -> None:
    client = view.live_client()
    proxy.say(types.ListenResponse.pb()(filter={"target_id": 1, "count": 999}))
    message = writer.message()
    wait_until(lambda: message in client.ids(), "the message's arrival")
    assert len(proxy.opened_at) == 1


def test_redelivery_is_sent_again_with_the_same_id(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    message = writer.message()
    wait_until(lambda: message in client.ids(), "the message's arrival")
    writer.redeliver(message, 2)
    wait_until(lambda: client.ids().count(message) == 2, "the redelivery's arrival")
    assert [frame.data["deliveries"] for frame in client.of("message")] == [1, 2]


def test_late_commit_with_an_older_time_is_still_shown(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    newer = writer.message()
    wait_until(lambda: newer in client.ids(), "the newer message's arrival")
    late = writer.message(received_at=datetime.now(UTC) - timedelta(seconds=3))
    wait_until(lambda: late in client.ids(), "the late message's arrival")
    ids = [frame.id for frame in client.of("message")]
    assert ids[0] == ids[1], "a late message moved the position back"


def test_late_commit_during_a_reconnection_is_still_shown(view: Viewing, proxy: ListenProxy, writer: Writer) -> None:
    client = view.live_client()
    newer = writer.message()
    wait_until(lambda: newer in client.ids(), "the newer message's arrival")
    proxy.refuse = grpc.StatusCode.UNAVAILABLE
    proxy.cut(grpc.StatusCode.UNAVAILABLE)
    late = writer.message(received_at=datetime.now(UTC) - timedelta(seconds=8))
    proxy.refuse = None
    wait_until(lambda: late in client.ids(), "the late message's arrival")


def test_resumes_ten_seconds_before_the_newest_message(view: Viewing, proxy: ListenProxy, writer: Writer) -> None:
    client = view.live_client()
    moment = datetime.now(UTC).replace(microsecond=123_000)
    message = writer.message(received_at=moment)
    wait_until(lambda: message in client.ids(), "the message's arrival")
    proxy.cut(grpc.StatusCode.INTERNAL)
    wait_until(lambda: len(starts(proxy)) == 2, "a second target")
    assert starts(proxy)[1] == moment - timedelta(seconds=10)


def test_full_window_moves_without_losing_or_repeating(view: Viewing, proxy: ListenProxy, writer: Writer) -> None:
    client = view.live_client()
    now = datetime.now(UTC)
    old = writer.messages(450, received_at=now - timedelta(seconds=60))
    fresh = writer.messages(60, received_at=now)
    wait_until(lambda: len(client.ids()) == 510, "the messages' arrival")
    wait_until(lambda: any(request.remove_target for request in proxy.requests), "the old target's removal")
    assert starts(proxy)[-1] >= now - timedelta(seconds=10, milliseconds=1)
    assert len(proxy.opened_at) == 1, "moving opened another stream"
    later = writer.messages(5)
    wait_until(lambda: set(later) <= set(client.ids()), "later messages' arrival")
    assert sorted(client.ids()) == sorted([*old, *fresh, *later])


def test_full_window_of_the_last_seconds_stays(view: Viewing, proxy: ListenProxy, writer: Writer) -> None:
    client = view.live_client()
    writer.messages(400)
    writer.messages(400)
    wait_until(lambda: len(client.ids()) == 800, "the messages' arrival")
    assert len(starts(proxy)) == 1


def test_expiry_does_not_disturb_the_stream(view: Viewing, proxy: ListenProxy, writer: Writer) -> None:
    client = view.live_client()
    gone = writer.messages(300)
    wait_until(lambda: len(client.ids()) == 300, "the messages' arrival")
    writer.delete(*gone)
    after = writer.message()
    wait_until(lambda: after in client.ids(), "a later message's arrival")
    assert sorted(client.ids()) == sorted([*gone, after])
    assert len(proxy.opened_at) == 1


def test_message_that_cannot_be_rendered_is_logged_and_ends_nothing(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    view.render = lambda message: str(1 / 0)
    message = writer.message()
    wait_until(lambda: message in client.ids(), "the message's arrival without its row")
    assert client.of("message")[-1].data["html"] == ""
    assert "ZeroDivisionError" in view.logged.getvalue()


def test_document_of_other_types_is_shown_as_far_as_possible(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    message = writer.message(attributes="none", deliveries="many", publish_time=5, data=None)
    wait_until(lambda: message in client.ids(), "the strange document's arrival")
    writer.subscription("builds", observed_running={"a": [float("nan")]}, changed_by=b"bytes")
    wait_until(lambda: client.of("delivery"), "the strange state's arrival")
    assert client.of("delivery")[-1].data == {"subscription": "builds", "observed_running": None, "changed_by": None}


def test_start_does_not_send_history_again(firestore: LocalFirestore, writer: Writer) -> None:
    now = datetime.now(UTC)
    writer.messages(30, received_at=now - timedelta(hours=1))
    newest = writer.message(received_at=now)
    with viewing(firestore.address) as view:
        stored = view.messages.get(newest)
        assert stored
        client = view.live_client(Position(stored.cursor))
        time.sleep(0.5)
        assert set(client.ids()) <= {newest}
        client.close()
