"""Ports of this machine's loopback."""

import random
import socket

# Below the range that outgoing connections get theirs from (32768 on Linux): a child that is started again must find
# its port free, and a push to a port in that range can connect to itself while the child is away.
_LOW, _HIGH = 20000, 32000


def is_free(port: int) -> bool:
    """Tell whether a server could listen on that port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port that is free now and will stay so for a program that dies and comes back."""
    for port in random.sample(range(_LOW, _HIGH), 200):
        if is_free(port):
            return port
    raise OSError(f"no free port between {_LOW} and {_HIGH}")
