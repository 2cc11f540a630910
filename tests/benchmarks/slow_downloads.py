"""The viewer's memory while clients do not read: ``python -m tests.benchmarks.slow_downloads`` (two minutes).

For each route and a new viewer, forty clients of four people ask for a message of 10 MB, or for an export or
form with it, and read nothing for some seconds. Server and clients share this machine. It prints and asserts nothing.
"""

import argparse
import contextlib
import os
import socket
import tempfile
import time
from collections import Counter
from pathlib import Path

from infra.accounts.session_store import SessionStore
from infra.accounts.user_store import UserStore
from infra.firestore.encoding import Plain
from tests.benchmarks.live_feed import firestore_process
from tests.support.firestore.writer import Writer
from tests.support.viewer.process import Server, served

PAYLOAD_BYTES = 9_999_000
PEOPLE = 4
ROUTES = {
    "download": "/messages/{binary}/data",
    "API, text": "/api/v1/messages/{text}",
    "API, bytes": "/api/v1/messages/{binary}",
    "export NDJSON": "/export.ndjson?q=large%3Dyes",
    "export CSV": "/export.csv?q=large%3Dyes",
    "page": "/messages/{json}?view=pretty",
    "page, tree": "/messages/{json}?view=tree",
    "republish form": "/republish?q=large%3Dyes",
    "catch-up": "/live?after=0-00000000000000000000000000000000",
}


def operators(server: Server, writer: Writer, address: str) -> list[str]:
    """Return the cookies of four operators."""
    os.environ["FIRESTORE_EMULATOR_HOST"] = address
    users, sessions = UserStore(writer.database), SessionStore(writer.database)
    people = [
        users.add(f"operator{n}-{server.port}", "correct horse battery", "operator", by="t") for n in range(PEOPLE)
    ]
    return [sessions.create(one) for one in people]


def peak(server: Server, path: str, cookies: list[str], clients: int, seconds: float) -> tuple[Counter[str], float]:
    """Ask for a path without reading; return the answers' statuses and the largest memory in megabytes."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(contextlib.closing(socket.socket())) for _ in range(clients)]
        for number, client in enumerate(sockets):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            cookie = cookies[number % len(cookies)]
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: subscope={cookie}\r\n\r\n".encode())
        most, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            most = max(most, server.rss_bytes())
            time.sleep(0.02)
        statuses: Counter[str] = Counter()
        for client in sockets:
            client.setblocking(False)
            try:
                statuses[client.recv(12)[9:].decode() or "closed"] += 1
            except BlockingIOError:
                statuses["none yet"] += 1
        return statuses, most / 1e6


def main() -> None:
    """Measure each route."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", choices=ROUTES, nargs="+")
    arguments = parser.parse_args()
    with firestore_process() as address, tempfile.TemporaryDirectory() as directory:
        writer = Writer(address)
        fields: dict[str, Plain] = {"attributes": {"large": "yes"}, "tokens": ["large=yes"]}
        ids = {
            "binary": writer.large(os.urandom(PAYLOAD_BYTES), kind="binary", **fields),
            "text": writer.large("é\N{SNOWMAN}x\n".encode() * (PAYLOAD_BYTES // 7), kind="text", **fields),
            "json": writer.large(b"[" + b"1," * (PAYLOAD_BYTES // 2 - 1) + b"1]", kind="json", **fields),
        }
        writer.messages(400, data=b"x" * 12_000)
        for name, path in ROUTES.items():
            if arguments.only and name not in arguments.only:
                continue
            with served(address, writer, Path(directory)) as server:
                cookies, rest = operators(server, writer, address), server.rss_bytes() / 1e6
                statuses, most = peak(server, path.format(**ids), cookies, arguments.clients, arguments.seconds)
                print(f"{name:<16} at rest {rest:.0f}, at most {most:.0f} MB   {dict(statuses)}", flush=True)
        writer.close()


if __name__ == "__main__":
    main()
