"""Keeps a short answer together, so that the thread that made it need not wait until the client reads it."""

from typing import Any

from infra.web_server.client_socket import ClientSocket

MAX_BYTES = 1024 * 1024


class Outbox:
    """The place that gunicorn's response writes to, instead of the socket.

    An answer of unknown or great length goes to the socket at once, piece by piece: a stream, a download.
    """

    def __init__(self, client: ClientSocket, response: Any) -> None:
        self._client, self._response = client, response
        self._parts: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Keep or send a part of the answer."""
        length = self._response.response_length
        if length is None or length > MAX_BYTES:
            self._client.sendall(data)
        else:
            self._parts.append(data)

    def flush(self) -> memoryview:
        """Send what the kernel takes now; return the rest. Raises OSError when the client left."""
        kept = memoryview(b"".join(self._parts))
        return kept[self._client.send_some(kept) :] if kept else kept
