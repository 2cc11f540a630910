"""One bounded HTTP GET for the key server, on the running event loop: h11 over asyncio's streams.

The timeout bounds the whole request. A blocking client in a thread could be held by a server that sends a byte at a
time.
"""

import asyncio
import ssl
from urllib.parse import urlsplit

import h11

from functions.tokens.google_keys import Reply
from infra.errors import KeysUnavailableError

TIMEOUT_SECONDS = 3.0
_MAX_BODY_BYTES = 256 * 1024


async def fetch_keys(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Reply:
    """GET ``url`` and return its body. Raises KeysUnavailableError unless a 200 arrives in time."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _get(url)
    except TimeoutError as exc:
        raise KeysUnavailableError(f"The key server did not answer within {timeout_seconds:g} s.") from exc
    except (OSError, ValueError, h11.ProtocolError) as exc:
        raise KeysUnavailableError(f"The key server cannot be read: {type(exc).__name__}: {exc}") from exc


async def _get(url: str) -> Reply:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    context = ssl.create_default_context() if secure else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if secure else 80), ssl=context)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = [("host", parts.netloc), ("accept", "application/json"), ("connection", "close")]
        client = h11.Connection(h11.CLIENT)
        writer.write(client.send(h11.Request(method="GET", target=target, headers=headers)))
        writer.write(client.send(h11.EndOfMessage()))
        return await _read(client, reader)
    finally:
        # Not awaited: the server may never finish its half of the TLS close.
        writer.close()


async def _read(client: h11.Connection, reader: asyncio.StreamReader) -> Reply:
    cache_control, body = "", b""
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            if event.status_code != 200:
                raise ValueError(f"it answered {event.status_code}")
            cache_control = ",".join(value.decode() for name, value in event.headers if name == b"cache-control")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _MAX_BODY_BYTES:
                raise ValueError(f"its answer is longer than {_MAX_BODY_BYTES} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return Reply(body, cache_control)
        elif isinstance(event, h11.ConnectionClosed):
            raise ValueError("it closed the connection early")
