"""The socket of a request's client: whether the client has left, which WSGI does not tell."""

import select
import socket
from collections.abc import Callable
from functools import partial
from typing import Any


def client_socket(environ: dict[str, Any]) -> socket.socket | None:
    """Return the socket as gunicorn or Werkzeug's development server gives it; None from any other server."""
    found: socket.socket | None = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    return found


def has_closed(client: socket.socket | None) -> bool:
    """Tell whether the client has closed the connection; an unread request that follows is left where it is."""
    if client is None:
        return False
    try:
        # A socket with a timeout would wait within recv for its first byte.
        poller = select.poll()
        poller.register(client, select.POLLIN)
        return bool(poller.poll(0)) and not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except (OSError, ValueError):  # reset, or closed by another thread
        return True


def leaving(environ: dict[str, Any]) -> Callable[[], bool]:
    """Return a function that tells whether a request's client has left, also while the answer is streamed."""
    return partial(has_closed, client_socket(environ))
