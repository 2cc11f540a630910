"""GET /live through gunicorn: the right to a stream, the reasons to end it, and its slot afterwards."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.accounts.session_store import IDLE, SessionStore
from infra.accounts.user_store import UserStore
from infra.errors import BusyError, InputError
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer, stored_message
from tests.support.viewer.app import running
from tests.support.viewer.process import DeafClient, HttpClient, Server, served
from tests.support.viewer.visitor import PASSWORD, SCRIPT, add_user, services_of
from tests.support.viewer.visitor import Visitor as InProcess
from tests.support.waiting import wait_until
from web.live.client_filter import parse_client_filter
from web.live.connections import MIN_SHARE, Connections

# A client that does not read blocks after its send buffer (the kernel doubles 256 KiB) and its receive buffer (4 KiB).
MIN_BYTES_THAT_BLOCK = 1_000_000
HASTY = "tests.support.viewer.hasty:create()"


@pytest.fixture(scope="module")
def firestore() -> Iterator[LocalFirestore]:
    server = LocalFirestore()
    yield server
    server.close()


@pytest.fixture(scope="module")
def writer(firestore: LocalFirestore) -> Iterator[Writer]:
    firestore_writer = Writer(firestore.address)
    yield firestore_writer
    firestore_writer.close()


@pytest.fixture(scope="module")
def hasty(firestore: LocalFirestore, writer: Writer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(firestore.address, writer, tmp_path_factory.mktemp("hasty"), HASTY, MAX_STREAMS="3") as server:
        yield server


def live_client(server: Server, **query: str) -> HttpClient:
    client = HttpClient(server, **query)
    wait_until(lambda: any(frame.data["status"] == "live" for frame in client.of("feed")), "the feed went live")
    return client


def test_stream_is_neither_stored_nor_buffered(hasty: Server) -> None:
    client = live_client(hasty)
    headers = client.response.headers
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert client.response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    client.close()


def test_message_arrives_while_the_stream_is_open(hasty: Server, writer: Writer) -> None:
    client = live_client(hasty)
    message = writer.message()
    wait_until(lambda: message in client.ids(), "the message's arrival")
    assert client.of("message")[-1].data["html"].strip()
    client.close()


def test_request_without_a_session_gets_no_stream(hasty: Server) -> None:
    assert hasty.status("/live", Cookie="", Accept="text/event-stream") == 401
    assert hasty.status("/live", Cookie="subscope=" + "x" * 43 + ".ada", Accept="text/event-stream") == 401


def test_unmonitored_subscription_is_refused(hasty: Server) -> None:
    assert hasty.status("/live?subscription=bilds", Accept="text/event-stream") == 400


def test_unusable_filter_is_refused(hasty: Server) -> None:
    assert hasty.status("/live?q=levl:high", Accept="text/event-stream") == 400


def test_longest_filter_fits_into_an_address(hasty: Server) -> None:
    assert hasty.status("/live?q=" + "%3D" * 2000, Accept="text/event-stream") == 400
    assert hasty.status("/live?q=%22" + "%3D" * 1998 + "%22", "HEAD", Accept="text/event-stream") == 200


def test_head_request_takes_no_slot(hasty: Server) -> None:
    assert [hasty.status("/live", "HEAD") for _ in range(5)] == [200] * 5


def test_idle_stream_sends_keep_alives(hasty: Server) -> None:
    client = live_client(hasty)
    wait_until(lambda: client.pulses >= 3, "three keep-alives", 3)
    client.close()


def test_slots_are_limited_and_freed_when_a_client_disconnects(hasty: Server) -> None:
    clients = [live_client(hasty) for _ in range(3)]
    refused = hasty.request("/live", Accept="text/event-stream")
    assert refused.response.status == 503
    assert int(refused.response.headers["Retry-After"]) > 0
    refused.close()
    assert hasty.status("/messages") == 200, "a page waited for streams"
    clients[0].close()
    wait_until(lambda: hasty.status("/live", Accept="text/event-stream") == 200, "the disconnected client's slot", 3)
    for client in clients:
        client.close()


def test_one_person_gets_a_fair_share_of_the_slots(
    firestore: LocalFirestore, writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(firestore.address, writer, tmp_path, MAX_STREAMS="12") as server:
        clients = [HttpClient(server) for _ in range(MIN_SHARE)]
        refused = server.request("/live", Accept="text/event-stream")
        assert refused.response.status == 503
        assert int(refused.response.headers["Retry-After"]) > 0
        assert b"You have 10 live streams open, the most for one person" in refused.response.read()
        refused.close()
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore.address)
        second_user = UserStore(writer.database).add("second-viewer", "correct horse battery", "viewer", by="test")
        server.cookie = SessionStore(writer.database).create(second_user)
        other = HttpClient(server)
        assert other.response.status == 200
        for client in (*clients, other):
            client.close()


@pytest.mark.parametrize(("max_connections", "share"), [(3, 3), (10, 10), (40, 10), (250, 62)])
def test_share_of_one_person_is_a_quarter_and_at_least_ten(max_connections: int, share: int) -> None:
    connections = Connections(max_connections)
    for _ in range(share):
        connections.reserve("viewer")
    with pytest.raises(BusyError):
        connections.reserve("viewer")
    if max_connections > share:
        connections.reserve("second-viewer")
    connections.release("viewer")
    connections.reserve("viewer")


def test_stream_that_fails_to_open_frees_client_and_slot(firestore: LocalFirestore) -> None:
    closed_socket = socket.socket()
    closed_socket.close()
    with running(settings_for(firestore.address, LOG_LEVEL="CRITICAL", MAX_STREAMS="1")) as app:
        viewer = InProcess(app, add_user(app, "viewer-without-a-socket", "viewer"))
        for _ in range(2):  # the second request needs the slot of the first
            answer = viewer.get("/live", SCRIPT, environ_overrides={"gunicorn.socket": closed_socket})
            assert answer.status_code == 500
        assert services_of(app).feed.client_count == 0


def test_open_stream_does_not_extend_its_session(
    hasty: Server, writer: Writer, firestore: LocalFirestore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore.address)
    kept, hasty.cookie = hasty.cookie, SessionStore(writer.database).create(hasty.person)
    resolved = SessionStore(writer.database).look_up(hasty.cookie)
    assert resolved
    session = writer.database.documents.collection("sessions").document(resolved.session.id)
    long_ago = datetime.now(UTC) - IDLE + timedelta(seconds=4)
    session.update({"seen_at": long_ago})
    client = live_client(hasty)
    wait_until(lambda: client.ended_at, "the end of the stream with the idle session", 8)
    assert session.get().get("seen_at") == long_ago
    hasty.cookie = kept
    client.close()


def test_stream_ends_after_its_life_and_reconnection_leaves_no_gap(
    firestore: LocalFirestore, writer: Writer, tmp_path: Path
) -> None:
    with served(firestore.address, writer, tmp_path, "tests.support.viewer.hasty:short_lived()") as server:
        client = live_client(server)
        first = writer.message()
        wait_until(lambda: client.ended_at, "the end of the stream's life", 5)
        missed = writer.message()
        reconnected = HttpClient(server, last_event_id=client.last_id)
        wait_until(lambda: missed in reconnected.ids(), "the missed message")
        assert first in client.ids()
        client.close()
        reconnected.close()


def test_stream_ends_with_its_session(hasty: Server, writer: Writer) -> None:
    client = live_client(hasty)
    kept, other = hasty.cookie, SessionStore(writer.database).create(hasty.person)
    hasty.cookie = other
    signed_out = live_client(hasty)
    hasty.cookie = kept
    SessionStore(writer.database).end(other)
    wait_until(lambda: signed_out.ended_at, "the end of the signed-out stream", 4)
    assert client.ended_at is None
    client.close()
    signed_out.close()


def test_sign_out_ends_the_streams_of_this_session_at_once(firestore: LocalFirestore) -> None:
    with running(settings_for(firestore.address)) as app:
        name = add_user(app, "viewer-in-two-browsers", "viewer")
        leaving, staying = InProcess(app, name), InProcess(app, name)
        streams = [visitor.get("/live", SCRIPT) for visitor in (leaving, leaving, staying)]
        assert services_of(app).feed.client_count == 3
        leaving.post("/logout")
        assert services_of(app).feed.client_count == 1
        for stream in streams:
            stream.close()


def test_new_sign_in_ends_the_streams_of_the_session_before_it(firestore: LocalFirestore) -> None:
    with running(settings_for(firestore.address)) as app:
        visitor = InProcess(app, add_user(app, "viewer-who-signs-in-again", "viewer"))
        stream = visitor.get("/live", SCRIPT)
        assert visitor.post("/login", username=visitor.name, password=PASSWORD).status_code == 303
        assert services_of(app).feed.client_count == 0
        stream.close()


def test_page_of_another_user_gets_no_stream(hasty: Server) -> None:
    assert hasty.status("/live?reader=another-user", Accept="text/event-stream") == 401
    assert hasty.status(f"/live?reader={hasty.person.name}", "HEAD", Accept="text/event-stream") == 200


def test_client_that_does_not_read_is_disconnected(hasty: Server, writer: Writer) -> None:
    client = live_client(hasty)
    deaf = [DeafClient(hasty), DeafClient(hasty)]
    assert hasty.status("/live", Accept="text/event-stream") == 503, "the deaf clients do not hold both slots"
    for _ in range(16):
        last = writer.messages(100)[-1]
        wait_until(lambda last=last: last in client.ids(), "arrival at the client that reads")  # type: ignore[misc]
    wait_until(lambda: hasty.status("/live", Accept="text/event-stream") == 200, "a deaf client's slot", 7)
    assert "Traceback" not in hasty.output.read_text()
    client.close()
    for deaf_client in deaf:
        deaf_client.close()


@pytest.fixture
def empty() -> Iterator[tuple[LocalFirestore, Writer]]:
    """A Firestore without the hundreds of messages of other tests, which each new stream would look through."""
    firestore = LocalFirestore()
    writer = Writer(firestore.address)
    yield firestore, writer
    writer.close()
    firestore.close()


def test_sigterm_ends_many_streams_in_time(empty: tuple[LocalFirestore, Writer], tmp_path: Path) -> None:
    firestore, writer = empty
    with served(firestore.address, writer, tmp_path) as server:
        # One client reads every row; the others have a filter that rejects all, because parsing costs this process CPU.
        clients = [HttpClient(server), *(HttpClient(server, q="never~matches") for _ in range(49))]
        deaf = [DeafClient(server) for _ in range(5)]
        # Long rows fill the buffers of the clients that do not read with few messages.
        last = writer.messages(90, attributes={f"key{number}": "x" * 1024 for number in range(6)})[-1]
        wait_until(lambda: last in clients[0].ids(), "the messages' arrival")
        frames_bytes = sum(len(frame.data["html"]) for frame in clients[0].of("message"))
        assert frames_bytes > MIN_BYTES_THAT_BLOCK, f"{frames_bytes} bytes do not block a client that does not read"
        began = time.monotonic()
        seconds = server.terminate()
        assert seconds < 8, f"it took {seconds:.1f} s"
        wait_until(lambda: all(client.ended_at for client in clients), "the end of every stream", 2)
        assert max(client.ended_at or 0 for client in clients) - began < 1, "streams ended late"
        assert server.process.returncode == 0
        assert "Traceback" not in server.output.read_text()
        for client in clients:
            client.close()
        for deaf_client in deaf:
            deaf_client.close()


def test_ctrl_c_ends_streams_in_time(firestore: LocalFirestore, writer: Writer, tmp_path: Path) -> None:
    with served(firestore.address, writer, tmp_path) as server:
        client = live_client(server)
        began = time.monotonic()
        server.process.send_signal(2)
        server.process.wait(10)
        assert time.monotonic() - began < 4
        client.close()


def test_restarted_viewer_leaves_no_gap(empty: tuple[LocalFirestore, Writer], tmp_path: Path) -> None:
    # With hundreds of other messages in the last seconds, the server would send a resync.
    firestore, writer = empty
    with served(firestore.address, writer, tmp_path) as server:
        client = live_client(server)
        sent = writer.messages(3)
        wait_until(lambda: sent[-1] in client.ids(), "the messages' arrival")
        server.kill()
        sent += writer.messages(3)
        server.start()
        reconnected = HttpClient(server, last_event_id=client.last_id)
        sent += writer.messages(3)
        wait_until(lambda: set(sent) <= {*client.ids(), *reconnected.ids()}, "all messages that were sent")
        assert not reconnected.of("resync")
        client.close()
        reconnected.close()


@pytest.mark.parametrize("q", ["=x", "kind:xml", '"half', "a " * 31])
def test_invalid_filter_is_refused_with_its_field_and_column(q: str) -> None:
    with pytest.raises(InputError, match=r"^q: at column "):
        parse_client_filter(q, "")


@pytest.mark.parametrize(
    ("q", "subscription", "accepted"),
    [
        ("", "", True),
        ("", "builds", True),
        ("", "other", False),
        ("status=DONE", "", True),
        ("data.id=a", "builds", True),
        ("data.user.id=7 -kind:binary", "builds", True),
        ("after:10m", "", False),
        ("status=FAILED", "", False),
        ("status=DONE", "other", False),
    ],
)
def test_stream_accepts_messages_that_match_its_filter(q: str, subscription: str, accepted: bool) -> None:
    message = replace(stored_message(1, data=b'{"id": "a", "user": {"id": 7}}'), attributes={"status": "DONE"})
    assert parse_client_filter(q, subscription).accepts(message) is accepted
