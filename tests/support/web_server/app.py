"""An application with one route for each kind of answer, seconds instead of ten, and little memory for requests."""

import hashlib
import time
from collections.abc import Iterable
from typing import Any

from infra.web_server import client_socket, waiting, worker
from infra.web_server.waiting import Wait

PAGE = b"0123456789abcdef" * 50_000  # more than the kernel takes for a client that does not read
STREAM_PART = b"x" * 60_000

waiting.SECONDS[Wait.REST_OF_REQUEST] = 1.5
waiting.SECONDS[Wait.READER] = 4.0
waiting.MAX_BYTES[Wait.THREAD] = worker.MAX_THREAD_BYTES = 1024 * 1024
client_socket.READ_SECONDS = 1.5
client_socket.SEND_SECONDS = 1.5


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer by the path."""
    match environ["PATH_INFO"]:
        case "/page":
            return _answer(start_response, "200 OK", PAGE)
        case "/slow":
            time.sleep(1)
            return _answer(start_response, "200 OK", b"slow")
        case "/refuse":
            return _answer(start_response, "413 Content Too Large", b"too large")
        case "/stream":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return (STREAM_PART for _ in range(200))
        case "/body":
            body = environ["wsgi.input"].read()
            return _answer(start_response, "200 OK", f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode())
        case path:
            return _answer(start_response, "200 OK", path.encode())


def _answer(start_response: Any, status: str, body: bytes) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
