"""How the viewer is served: one process, so that one feed serves all, and a thread for each stream.

gunicorn binds 0.0.0.0:$PORT by itself, as Cloud Run wants, unless ``--bind`` says otherwise.
"""

import os
import signal
import threading
from typing import Any

# The streams' own count is checked by the application, which refuses to start with a wrong one.
_streams = os.environ.get("MAX_STREAMS", "").strip()
_max_streams = int(_streams) if _streams.isascii() and _streams.isdigit() else 250

worker_class = "gthread"
workers = 1
threads = _max_streams + 16  # pages and health checks while every stream is taken
worker_connections = threads + 1000
timeout = 60
graceful_timeout = 6  # Cloud Run kills ten seconds after SIGTERM
keepalive = 75  # longer than a load balancer keeps its own end of a connection
limit_request_line = 8190  # a filter has 2,000 characters, each of three when it is escaped
accesslog = None  # Cloud Run logs requests
worker_tmp_dir = "/dev/shm"  # noqa: S108 - the heartbeat file must not wait for a disk
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """End the streams at SIGTERM: gunicorn only waits for them."""
    before = signal.getsignal(signal.SIGTERM)

    def terminate(number: int, frame: Any) -> None:
        _end_streams(worker)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, terminate)


def worker_int(worker: Any) -> None:
    """End the streams at SIGINT and SIGQUIT, which Ctrl-C becomes."""
    _end_streams(worker)


def _end_streams(worker: Any) -> None:
    # Imported here: this file is read before the fork, where Google's libraries have no business.
    from web.live.views import end_streams

    # Not in the signal handler itself: it interrupts whatever holds a lock.
    threading.Thread(target=end_streams, args=(worker.app.wsgi(),), daemon=True).start()
