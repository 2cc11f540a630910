"""Find free ports on loopback."""

import random
import socket

# Below the range of outgoing connections (from 32768 on Linux): a restarted child must find its port free, and a push
# to a port in that range can connect to itself while the child is down.
_LOW, _HIGH = 20000, 32000


def is_free(port: int) -> bool:
    """Tell whether a server can listen on ``port``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a free port that outgoing connections never take, also while the program restarts."""
    for port in random.sample(range(_LOW, _HIGH), 200):
        if is_free(port):
            return port
    raise OSError(f"no free port between {_LOW} and {_HIGH}")
