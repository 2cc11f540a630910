"""A gunicorn worker that gives a thread only to a request that has arrived.

gunicorn's own worker gives a thread to each new connection, which then waits without limit for the rest of the request,
and its main loop waits up to two seconds for each client that does not close its side. Here the main loop
receives requests, sends the rest of short answers and waits for clients to close, for all connections at once. Only
streams, downloads and long bodies occupy their threads until the client reads or sends, for a bounded time.
"""

import errno
import selectors
import socket
import sys
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from infra.web_server import refusals, threads
from infra.web_server.client_socket import ClientSocket
from infra.web_server.connection import Connection, connections_that_fit
from infra.web_server.lanes import lane_of
from infra.web_server.outbox import Outbox
from infra.web_server.waiting import Wait, Waiting

# At most this number of requests without a session have a thread.
MAX_STRANGERS = threads.STRANGERS
# The memory of all requests that have a thread or are about to get one.
MAX_THREAD_BYTES = 64 * 1024 * 1024
_RECEIVE_BYTES = 64 * 1024
_STOP_SECONDS = 2.0  # a client may be sending a request when the worker stops
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class GuardedWorker(ThreadWorker):
    """The worker of the viewer."""

    def init_process(self) -> None:
        """Allow as many open files as there may be connections, and run."""
        self._max_connections = connections_that_fit(self.cfg.worker_connections)
        # A full worker closes the least needed connection; gunicorn's would accept no more.
        self.worker_connections = sys.maxsize
        self._waiting: Waiting[Connection] = Waiting()
        self._strangers = self._thread_bytes = 0
        self._max_strangers = max(1, min(MAX_STRANGERS, self.cfg.threads // 2))
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and wait for its request."""
        try:
            accepted, address = listener.accept()
        except OSError as exc:
            if exc.errno in _OUT_OF_FILES:
                self._close_least_needed()
            elif exc.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        if self.nr_conns > self._max_connections:
            self._close_least_needed()
        connection = Connection(self.cfg, ClientSocket.adopt(accepted), address, listener.getsockname())
        self._wait(connection, Wait.REQUEST)

    def finish_request(self, connection: Any, done: "Future[bool]") -> None:
        """Go on with a connection after its thread has ended, in the main loop."""
        self._thread_bytes -= connection.thread_bytes
        connection.thread_bytes = 0
        if connection.lane == "stranger":
            self._strangers -= 1
            self._admit_next_strangers()
        connection.keep_alive = not done.cancelled() and done.exception() is None and done.result()
        self._send(connection)

    def handle_request(self, request: Any, connection: Any) -> bool:
        """Answer a request in a thread, and leave the rest of a short answer to the main loop."""
        response, environ = wsgi.create(request, connection.sock, connection.client, connection.server, self.cfg)
        environ["wsgi.multithread"] = True
        start_response: Any = response.start_response
        outbox = response.sock = Outbox(connection.sock, response)  # type: ignore[assignment]
        # The thread may leave a part of the body unread, and then nothing tells where the next request begins.
        if not self.alive or connection.received.missing_bytes is not None:
            response.force_close()
        body = self.wsgi(environ, start_response)
        try:
            for part in body:
                response.write(part)
            response.close()
        finally:
            if hasattr(body, "close"):
                body.close()
        connection.unsent = outbox.flush()
        return not response.should_close()

    def murder_keepalived(self, force: bool = False) -> None:
        """Close all waiting connections when the worker ends."""
        for connection in self._waiting.all() if force else ():
            self._drop(connection)

    def murder_pending(self) -> None:
        """End the waits that have lasted too long."""
        if not self.alive:
            for wait in (Wait.REQUEST, Wait.REST_OF_REQUEST):
                self._waiting.end_by(wait, time.monotonic() + _STOP_SECONDS)
        for connection in self._waiting.expired(time.monotonic()):
            match self._waiting.wait_of(connection):
                case Wait.REST_OF_REQUEST:
                    self._refuse(connection, refusals.TOO_SLOW)
                case Wait.THREAD:
                    self._refuse(connection, refusals.BUSY)
                case _:
                    self._drop(connection)

    def _receive(self, connection: Connection, _client: object) -> None:
        data = connection.sock.receive(_RECEIVE_BYTES) if self._waiting.wait_of(connection) else None
        if data:
            self._add(connection, data)
        elif data is not None:
            self._drop(connection)

    def _add(self, connection: Connection, data: bytes) -> None:
        received = connection.received
        received.add(data)
        if received.is_complete:
            self._stop_waiting(connection)
            self._admit(connection)
        elif received.is_head_too_long:
            self._refuse(connection, refusals.HEAD_TOO_LONG)
        elif received.has_too_much_framing:
            self._refuse(connection, refusals.TOO_MUCH_FRAMING)
        else:
            self._hold(connection, len(data))

    def _hold(self, connection: Connection, added_bytes: int) -> None:
        """Keep a part of a request."""
        if self._waiting.wait_of(connection) is not Wait.REST_OF_REQUEST:
            self._stop_waiting(connection)
            self._wait(connection, Wait.REST_OF_REQUEST)
        if connection.received.expects_continue:
            connection.received.expects_continue = False
            connection.sock.try_to_send(refusals.CONTINUE)
        self._count(connection, Wait.REST_OF_REQUEST, added_bytes)

    def _admit(self, connection: Connection) -> None:
        """Give a request to a thread, or let it wait for one."""
        size = len(connection.received.data)
        if self._thread_bytes + size > MAX_THREAD_BYTES:
            self._refuse(connection, refusals.BUSY)
            return
        connection.lane = lane_of(connection.received.head)
        if connection.lane == "stranger":
            if self._strangers >= self._max_strangers:
                self._waiting.add(connection, Wait.THREAD, time.monotonic())
                self._count(connection, Wait.THREAD, size)
                return
            self._strangers += 1
        connection.thread_bytes = size
        self._thread_bytes += size
        connection.parser.unreader.unread(connection.received.take())
        connection.sock.begin_request(connection.received.missing_bytes)
        self.enqueue_req(connection)

    def _admit_next_strangers(self) -> None:
        while self._strangers < self._max_strangers and (connection := self._waiting.oldest(Wait.THREAD)):
            self._waiting.remove(connection)
            self._admit(connection)

    def _send(self, connection: Connection, client: object = None) -> None:
        """Send the rest of an answer, and wait for a client that does not read it."""
        if client and not self._waiting.wait_of(connection):
            return
        try:
            sent = connection.sock.send_some(connection.unsent) if connection.unsent else 0
        except OSError:
            self._drop(connection)
            return
        connection.unsent = connection.unsent[sent:]
        if connection.unsent:
            self._wait_for_reader(connection)
        elif connection.keep_alive:
            self._next_request(connection)
        else:
            self._close(connection)

    def _wait_for_reader(self, connection: Connection) -> None:
        if self._waiting.wait_of(connection):
            return
        self._wait(connection, Wait.READER)
        self._count(connection, Wait.READER, len(connection.unsent))

    def _next_request(self, connection: Connection) -> None:
        """Wait for the next request, or take the one that arrived behind the last."""
        self._stop_waiting(connection)
        pipelined = connection.next_request()
        self._wait(connection, Wait.REQUEST)
        if pipelined:
            self._add(connection, pipelined)

    def _refuse(self, connection: Connection, answer: bytes) -> None:
        connection.sock.try_to_send(answer)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        """End the answer, and discard what still arrives until the client closes.

        A connection that closes on unread bytes is reset, and the client loses the answer (RFC 9112, section 9.6).
        """
        self._stop_waiting(connection)
        connection.next_request()
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(connection)
            return
        self._wait(connection, Wait.CLOSE)

    def _discard(self, connection: Connection, _client: object) -> None:
        data = connection.sock.receive(_RECEIVE_BYTES) if self._waiting.wait_of(connection) else None
        if data == b"":
            self._drop(connection)

    def _wait(self, connection: Connection, wait: Wait) -> None:
        """Let the main loop watch a connection that has no thread."""
        self._waiting.add(connection, wait, time.monotonic())
        if wait is Wait.READER:
            self.poller.register(connection.sock, selectors.EVENT_WRITE, partial(self._send, connection))
        else:
            react = self._discard if wait is Wait.CLOSE else self._receive
            self.poller.register(connection.sock, selectors.EVENT_READ, partial(react, connection))

    def _stop_waiting(self, connection: Connection) -> None:
        wait = self._waiting.remove(connection)
        if wait and wait is not Wait.THREAD:
            self.poller.unregister(connection.sock)

    def _count(self, connection: Connection, wait: Wait, number: int) -> None:
        """Count bytes that a connection holds while it waits; close the oldest while there are too many."""
        self._waiting.add_bytes(connection, number)
        while oldest := self._waiting.excess(wait):
            self._drop(oldest)

    def _close_least_needed(self) -> None:
        if connection := self._waiting.least_needed():
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._stop_waiting(connection)
        self.nr_conns -= 1
        connection.close()
