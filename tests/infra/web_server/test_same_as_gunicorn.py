"""A request that counts as complete is one for which gunicorn's parser never reads the socket."""

import contextlib
import errno

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.web_server.request_bytes import MAX_BODY_BYTES, MAX_FRAMING_BYTES, RequestBytes

HEAD = b"POST /login HTTP/1.1\r\nHost: h\r\n"
CONFIG = Config()
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def gunicorn_waits(data: bytes, body_bytes: int | None = None) -> bool:
    """Tell whether gunicorn reads the socket for a request and its body."""
    was_read = False

    def nothing_arrives() -> bytes:
        nonlocal was_read
        was_read = True
        raise ConnectionResetError(errno.ECONNRESET, "nothing arrives")

    parser = RequestParser(CONFIG, iter(nothing_arrives, b""), ("127.0.0.1", 1))
    parser.unreader.unread(data)
    with contextlib.suppress(ParseException, StopIteration, ConnectionResetError):
        body = next(parser).body
        assert body is not None
        body.read(body_bytes)
    return was_read


def received(data: bytes) -> RequestBytes:
    found = RequestBytes()
    found.add(data)
    return found


HALVES = {
    "a length of many digits": HEAD + b"Content-Length: 0000000000000000000065\r\n\r\nusername=",
    "a length as long as a header": HEAD + b"Content-Length: %s65\r\n\r\nusername=" % (b"0" * 4200),
    "a chunk size of many digits": CHUNKED + b"0000000000000000a\r\n",
    "a long chunk extension": CHUNKED + b"1;" + b"a" * 1100,
    "many digits without a line end": CHUNKED + b"5" * 1024,
    "a chunk size that ends with LF": CHUNKED + b"5\n",
    "chunks that end with LF": CHUNKED + b"5\nhello\n0\n\n",
    "a malformed chunk size that ends with LF": CHUNKED + b"zz\n",
    "a second chunk size that ends with LF": CHUNKED + b"1\r\na\r\n0\n\n",
    "trailers without an end": CHUNKED + b"0\r\na: b\r\n",
    "a chunk size with half of its line end": CHUNKED + b"0\r",
}


@pytest.mark.parametrize("name", HALVES)
def test_request_for_which_gunicorn_waits_is_incomplete(name: str) -> None:
    assert gunicorn_waits(HALVES[name])
    assert not received(HALVES[name]).is_complete


REFUSED = {
    "more digits than a number may have": HEAD + b"Content-Length: " + b"0" * 5000 + b"\r\n\r\n",
    "a superscript as a length": HEAD + b"Content-Length: \xb2\r\n\r\n",
    "a signed length": HEAD + b"Content-Length: +5\r\n\r\n",
    "a chunk size that is none": CHUNKED + b"zz\r\n",
    "a chunk size that is too long": CHUNKED + b"1" * 8191,
    "a chunk extension that is too long": CHUNKED + b"1;" + b"a" * 8190,
    "a space behind a chunk size": CHUNKED + b"5 \r\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_request_that_gunicorn_refuses_is_complete(name: str) -> None:
    assert not gunicorn_waits(REFUSED[name])
    assert (received(REFUSED[name]).is_complete, received(REFUSED[name]).missing_bytes) == (True, None)


def test_endless_length_is_left_to_a_thread_for_a_finite_time() -> None:
    found = received(HEAD + b"Content-Length: " + b"9" * 4000 + b"\r\n\r\n")
    assert found.is_complete
    assert found.missing_bytes is not None
    assert found.missing_bytes / 1024 < float("inf")


def test_body_of_tiny_chunks_has_too_much_framing() -> None:
    found = received(CHUNKED)
    while not found.has_too_much_framing:
        assert not found.is_complete
        found.add(b"1;%s\r\nx\r\n" % (b"a" * 100))
    assert len(found.data) < MAX_FRAMING_BYTES + 4096


ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""])
LINES = st.sampled_from(
    [
        *(
            b"Content-Length: " + value
            for value in (b"3", b"0", b"003", b"\t3 ", b"-3", b"3, 3", b"\xb3", b"0" * 20 + b"9")
        ),
        *(
            b"Transfer-Encoding: " + value
            for value in (b"chunked", b"CHUNKED", b"gzip, chunked", b"identity", b"x-chunked")
        ),
        *(b"transfer-encoding : chunked", b"Content_Length: 9", b" Content-Length: 9", b"Expect: 100-continue"),
        *(b"Host: h", b"X: a\rb", b"X: \x00", b":", b""),
    ]
)
SIZES = st.sampled_from([b"0", b"1", b"a", b"A;x=y", b"0000000000000000a", b"0;x", b"z", b"", b"1 ", b"1 ;x", b"1;\r"])
DATA = st.sampled_from([b"", b"x", b"0123456789", b"\r\n", b"\n", b"0\r\n\r\n", b"a: b\r\n\r\n", b"a: b"])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Return the bytes of a request with and without mistakes, cut at any place."""
    line = draw(
        st.sampled_from([b"POST /login HTTP/1.1", b"GET / HTTP/1.0", b"POST /login", b"\r\nPOST / HTTP/1.1", b""])
    )
    parts = [line, draw(ENDS)]
    for header in draw(st.lists(LINES, max_size=4)):
        parts += [header, draw(ENDS)]
    parts.append(draw(ENDS))
    for size in draw(st.lists(SIZES, max_size=4)):
        parts += [size, draw(ENDS), draw(DATA), draw(ENDS)]
    whole = b"".join(parts)
    return whole[: draw(st.integers(0, len(whole)))] if draw(st.booleans()) else whole


@settings(max_examples=400, deadline=None)
@given(requests())
def test_gunicorn_never_reads_for_a_complete_request(data: bytes) -> None:
    found = received(data)
    if found.is_complete and found.missing_bytes is None:
        assert not gunicorn_waits(data)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 20_000), st.sampled_from([b"", b";x", b" ; x=y", b";" + b"a" * 8000])), max_size=20
    ),
    st.integers(0, 200_000),
)
def test_application_that_reads_a_short_body_never_waits(chunks: list[tuple[int, bytes]], cut: int) -> None:
    body = b"".join(b"%x%s\r\n%s\r\n" % (length, extension, b"x" * length) for length, extension in chunks)
    data = (CHUNKED + body + b"0\r\n\r\n")[: len(CHUNKED) + cut]
    found = received(data)
    if found.is_complete:
        assert not gunicorn_waits(data, MAX_BODY_BYTES)
    elif not found.has_too_much_framing:
        assert gunicorn_waits(data)
