"""Google Cloud's servers on loopback: a metadata server, and Firestore behind TLS under its real name.

gRPC reaches the name through our proxy (``grpc_proxy``) and trusts only our certificate.
"""

import contextlib
import datetime
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FIRESTORE = "firestore.googleapis.com"
_ACCOUNTS = "/computeMetadata/v1/instance/service-accounts/"


class MetadataServer:
    """Serves an account and its tokens after ``delay_seconds``; with ``broken`` it answers an error."""

    def __init__(self) -> None:
        self.delay_seconds = 0.0
        self.broken = False
        self.token_seconds = 3600
        self.asked: list[str] = []
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        metadata = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                metadata.asked.append(self.path)
                metadata._stopping.wait(metadata.delay_seconds)
                body = _answer(self.path, metadata.token_seconds)
                with contextlib.suppress(OSError):
                    self.send_response(500 if metadata.broken else 200)
                    self.send_header("Metadata-Flavor", "Google")
                    self.send_header("Content-Type", "application/json" if body[:1] == b"{" else "application/text")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler


def _answer(path: str, token_seconds: int) -> bytes:
    if "/token" in path:
        return json.dumps({"access_token": "a-token", "expires_in": token_seconds, "token_type": "Bearer"}).encode()
    if path.startswith(_ACCOUNTS):
        return json.dumps({"email": "receiver@p.example", "scopes": [], "aliases": ["default"]}).encode()
    return b"googleapis.com" if "universe" in path else b"subscope-test"


class FirestoreFront:
    """A proxy that connects every client to ``upstream`` and speaks TLS as Firestore."""

    def __init__(self, upstream: str, directory: Path) -> None:
        host, _, port = upstream.rpartition(":")
        self._upstream = (host, int(port))
        self.certificate = directory / "roots.pem"
        key = directory / "key.pem"
        _make_certificate(self.certificate, key)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(self.certificate, key)
        self._tls.set_alpn_protocols(["h2"])
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self._server, *self._sockets):
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += near.recv(1)
            assert asked.startswith(b"CONNECT " + FIRESTORE.encode())
            near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            secure = self._tls.wrap_socket(near, server_side=True)
            far = socket.create_connection(self._upstream)
            self._sockets += [secure, far]
            threading.Thread(target=_pump, args=(far, secure), daemon=True).start()
            _pump(secure, far)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
        sink.close()


def _make_certificate(certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, FIRESTORE)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(FIRESTORE)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password))
