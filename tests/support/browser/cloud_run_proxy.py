"""``gcloud run services proxy`` as the viewer sees it: Cloud Run's host, a token, https, and the browser's Origin."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# The headers that github.com/GoogleCloudPlatform/cloud-run-proxy and then Cloud Run's front end set.
_WRITTEN = {
    "Authorization": "Bearer an.identity.token",
    "Host": "subscope-viewer-1.europe-west1.run.app",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
}
_OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding"}


class _Handler(BaseHTTPRequestHandler):
    upstream = ""

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the browser reports errors."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
        connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=60)
        connection.request(self.command, self.path, body or None, {**headers, **_WRITTEN})
        answer = connection.getresponse()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_ONE_CONNECTION:
                self.send_header(name, value)
        self.end_headers()
        try:
            while piece := answer.read1(65_536):
                self.wfile.write(piece)
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # the browser or the viewer ended a stream
        finally:
            connection.close()


@contextmanager
def cloud_run_proxy(port: int, upstream: str) -> Iterator[None]:
    """Forward requests to this loopback port to ``upstream``."""
    handler = type("_Handler", (_Handler,), {"upstream": upstream})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
