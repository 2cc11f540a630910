"""A server of public keys that can misbehave."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.token_signer import Signer


class KeyServer:
    """Serves a signer's certificates, or misbehaves.

    ``mode`` is one of ok, error, missing, slow, html, empty, half, long, drip.
    """

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.mode = "ok"
        self.cache_control = "public, max-age=20000"
        self.fetches = 0
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/certs"

    def close(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def body(self) -> bytes:
        certificates = self.signer.certificates()
        match self.mode:
            case "html":
                return b"<!doctype html><title>Error</title>"
            case "empty":
                return b"{}"
            case "half":
                return json.dumps({"broken": "-----BEGIN CERTIFICATE-----\nAAAA", **certificates}).encode()
            case "long":
                return json.dumps(certificates).encode() + b" " * 256 * 1024
            case _:
                return json.dumps(certificates).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keys = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                keys.fetches += 1
                if keys.mode == "slow":
                    keys._stopping.wait(30)
                body = keys.body()
                self.send_response({"error": 500, "missing": 404}.get(keys.mode, 200))
                self.send_header("Cache-Control", keys.cache_control)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self._write(body)

            def _write(self, body: bytes) -> None:
                if keys.mode != "drip":
                    self.wfile.write(body)
                    return
                for byte in body:
                    if keys._stopping.wait(0.5):
                        return
                    self.wfile.write(bytes([byte]))

            def log_message(self, format: str, *args: Any) -> None:
                return

        return Handler
