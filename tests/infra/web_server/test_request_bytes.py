"""When a request has arrived, by its bytes."""

import pytest

from infra.web_server.lanes import lane_of
from infra.web_server.request_bytes import MAX_BODY_BYTES, MAX_HEAD_BYTES, RequestBytes

HEAD = b"POST /f HTTP/1.1\r\nHost: h\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

COMPLETE = {
    "no body": b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "no headers": b"GET / HTTP/1.0\r\n\r\n",
    "an empty line before it": b"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "lines that end with LF": b"GET / HTTP/1.1\nHost: h\n\n",
    "a body": HEAD + b"Content-Length: 5\r\n\r\nhello",
    "a body after odd spelling": HEAD + b"content-LENGTH \t: \t5 \r\n\r\nhello",
    "a length of nothing": HEAD + b"Content-Length: 0\r\n\r\n",
    "chunks": CHUNKED + b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
    "chunks with trailers": CHUNKED + b"A\r\nhelloworld\r\n0\r\na: b\r\nc: d\r\n\r\n",
    "no chunk": CHUNKED + b"0\r\n\r\n",
}


@pytest.mark.parametrize("name", COMPLETE)
def test_request_is_complete_with_its_last_byte_and_not_before(name: str) -> None:
    at_once, slowly = RequestBytes(), RequestBytes()
    at_once.add(COMPLETE[name])
    assert at_once.is_complete
    for byte in COMPLETE[name]:
        assert not slowly.is_complete
        slowly.add(bytes([byte]))
    assert slowly.is_complete
    assert slowly.data == COMPLETE[name]


@pytest.mark.parametrize(
    "malformed",
    [b"zz\r\n", b"\r\n", b"-1\r\nx", b"0x5\r\n", b"5" * 8191],
)
def test_malformed_chunk_makes_a_request_complete(malformed: bytes) -> None:
    received = RequestBytes()
    received.add(CHUNKED + malformed)
    assert received.is_complete


def test_next_request_behind_a_complete_one_does_not_matter() -> None:
    received = RequestBytes()
    received.add(COMPLETE["a body"] + b"GET / HT")
    assert received.is_complete
    assert received.head == HEAD + b"Content-Length: 5\r\n\r\n"


def test_long_body_is_left_to_a_thread() -> None:
    length = MAX_BODY_BYTES + 1
    received = RequestBytes()
    received.add(HEAD + b"Content-Length: %d\r\n\r\n123" % length)
    assert (received.is_complete, received.missing_bytes) == (True, length - 3)
    received = RequestBytes()
    received.add(CHUNKED + b"fffff\r\n")
    assert not received.is_complete
    received.add(b"x" * (MAX_BODY_BYTES + 1024))
    assert not received.is_complete, "gunicorn reads up to 1 KiB more than an application asks for"
    received.add(b"x")
    assert (received.is_complete, received.missing_bytes) == (True, 0)


def test_taken_bytes_are_not_kept() -> None:
    received = RequestBytes()
    received.add(COMPLETE["a body"])
    assert received.take() == COMPLETE["a body"]
    assert not received.data


def test_endless_head_is_too_long() -> None:
    received = RequestBytes()
    while not received.is_head_too_long:
        received.add(b"x" * 1000 + b"\r\n")
    assert not received.is_complete
    assert MAX_HEAD_BYTES < len(received.data) < MAX_HEAD_BYTES + 2000


def test_client_that_waits_for_100_continue_is_known() -> None:
    received = RequestBytes()
    received.add(HEAD + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert (received.is_complete, received.expects_continue) == (False, True)


@pytest.mark.parametrize(
    ("head", "lane"),
    [
        (b"GET /messages HTTP/1.1\r\nHost: h\r\n", "stranger"),
        (b"GET /messages HTTP/1.1\r\nX-Cookie: a\r\n", "stranger"),
        (b"GET /messages HTTP/1.1\r\nhost: h\r\ncookie: subscope=x\r\n", "other"),
        (b"GET /messages HTTP/1.1\r\nX-Goog-IAP-JWT-Assertion: x\r\n", "other"),
        (b"GET /messages HTTP/1.1\r\nAuthorization: Bearer x\r\n", "other"),
        (b"POST /login HTTP/1.1\r\nCookie: subscope=x\r\n", "other"),
        (b"\r\nPOST /login?next=/ HTTP/1.1\r\nHost: h\r\n", "other"),
        (b"GET /login HTTP/1.1\r\nHost: h\r\n", "stranger"),
        (b"GET /healthz HTTP/1.1\r\nHost: h\r\n", "other"),
    ],
)
def test_requests_without_a_session_share_a_lane(head: bytes, lane: str) -> None:
    assert lane_of(head) == lane
