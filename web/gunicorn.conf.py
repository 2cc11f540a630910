"""Settings of gunicorn: one process, so that one feed serves all clients, and a thread for each stream.

The worker is ours and gives a thread to a request that has arrived; docs/decisions/0020… says why.

Without ``--bind``, gunicorn listens on 0.0.0.0:$PORT, as Cloud Run requires.
"""

import os
import signal
import threading
from typing import Any

from infra.web_server.threads import RESERVE

# The application validates MAX_STREAMS and does not start with a wrong value.
_streams = os.environ.get("MAX_STREAMS", "").strip()
_max_streams = int(_streams) if _streams.isascii() and _streams.isdigit() else 250

worker_class = "infra.web_server.worker.GuardedWorker"
workers = 1
threads = _max_streams + RESERVE  # infra/web_server/threads.py has the parts of the reserve
worker_connections = threads + 1000
# On Cloud Run, none: between requests an instance may stand still for minutes, and gunicorn would kill a worker that
# missed its heartbeat. There the liveness probe of terraform's viewer.tf restarts an instance that does not answer.
timeout = 0 if os.environ.get("K_SERVICE") else 60
graceful_timeout = 6  # Cloud Run sends SIGKILL ten seconds after SIGTERM
limit_request_line = 8190  # a filter has up to 2,000 characters, and escaping makes three of each
accesslog = None  # Cloud Run logs requests
worker_tmp_dir = "/dev/shm"  # noqa: S108 - writing the heartbeat file must not wait for a disk
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """End the streams at SIGTERM: gunicorn only waits for them to end."""
    before = signal.getsignal(signal.SIGTERM)

    def terminate(number: int, frame: Any) -> None:
        _end_streams(worker)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, terminate)


def worker_int(worker: Any) -> None:
    """End the streams at SIGINT and SIGQUIT; Ctrl-C arrives as one of them."""
    _end_streams(worker)


def _end_streams(worker: Any) -> None:
    # Imported here because this file runs before the fork, and gRPC must not be loaded in the master.
    from web.live.views import end_streams

    # In a thread: the signal handler may have interrupted code that holds the locks needed here.
    threading.Thread(target=end_streams, args=(worker.app.wsgi(),), daemon=True).start()
