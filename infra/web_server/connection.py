"""One connection of the worker, and the number of those that the system allows."""

import resource
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn

from infra.web_server.client_socket import ClientSocket
from infra.web_server.lanes import Lane
from infra.web_server.request_bytes import RequestBytes

_OTHER_FILES = 200  # file descriptors for everything but connections


class Connection(TConn):
    """A connection with its request and its answer, as far as they are here."""

    sock: ClientSocket

    def __init__(self, cfg: Any, client: ClientSocket, address: Any, server: Any) -> None:
        super().__init__(cfg, client, address, server)
        self.data_ready = True  # a thread need not wait for the first byte
        self.parser: Any = http.get_parser(cfg, client, address)
        self.received = RequestBytes()
        self.unsent = memoryview(b"")
        self.lane: Lane = "other"
        self.keep_alive = False
        # The bytes of its request that a thread has.
        self.thread_bytes = 0

    def next_request(self) -> bytes:
        """Free the memory of the last request; return the bytes that arrived behind it."""
        self.received = RequestBytes()
        self.parser.mesg = None
        pipelined: bytes = self.parser.unreader.take_buffered()
        return pipelined


def connections_that_fit(wanted: int) -> int:
    """Allow this process the open files for ``wanted`` connections; return how many of them it may have."""
    files = wanted + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files:
        soft = files if hard == resource.RLIM_INFINITY else min(files, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(wanted, soft - _OTHER_FILES)
