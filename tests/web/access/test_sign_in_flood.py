"""Hundreds of wrong passwords, at a real gunicorn, exhaust neither its threads nor its memory."""

import http.client
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.process import Server, served
from tests.support.viewer.visitor import PAGE
from tests.support.waiting import wait_until

ATTACKERS = 60
GUEST = "guest.flood"
FLOOD = "127.0.0.40"


@pytest.fixture(scope="module")
def server(firestore: LocalFirestore, writer: Writer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a viewer with 44 threads."""
    with served(firestore.address, writer, tmp_path_factory.mktemp("flood"), MAX_STREAMS="4") as found:
        yield found


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    """Return the form token of a guest."""
    answer = page_of(server, "/login")
    found = re.search(r'name="csrf_token" value="([^"]+)"', answer)
    assert found, "the sign-in page has no form token"
    return found.group(1)


def page_of(server: Server, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path, headers={**PAGE, "Cookie": f"subscope={GUEST}"})
    page = connection.getresponse().read().decode()
    connection.close()
    return page


def sign_in(
    server: Server, token: str, name: str, password: str, address: str = "127.0.0.1"
) -> http.client.HTTPResponse:
    """Post the form from one of the addresses of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30, source_address=(address, 0))
    form = urlencode({"csrf_token": token, "username": name, "password": password})
    kind = "application/x-www-form-urlencoded"
    connection.request("POST", "/login", form, {**PAGE, "Cookie": f"subscope={GUEST}", "Content-Type": kind})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


class Flood:
    """About a hundred wrong passwords a second, for unknown names, while it is open."""

    def __init__(self, server: Server, token: str) -> None:
        self._server, self._token = server, token
        self._over = threading.Event()
        self.answers: list[http.client.HTTPResponse] = []
        self.seconds: list[float] = []  # of each wrong password that was compared

    def __enter__(self) -> "Flood":
        self._pool = ThreadPoolExecutor(ATTACKERS)
        self._done = [self._pool.submit(self._guess, number) for number in range(ATTACKERS)]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for one in self._done:
            one.result(60)
        self._pool.shutdown()

    def _guess(self, number: int) -> None:
        tries = 0
        while not self._over.wait(0.5):
            tries += 1
            began = time.monotonic()
            answer = sign_in(self._server, self._token, f"stranger{number}-{tries}", "x" * 20, FLOOD)
            self.answers.append(answer)
            if answer.status == 401:
                self.seconds.append(time.monotonic() - began)


def seconds_for(server: Server, path: str) -> float:
    began = time.monotonic()
    assert server.status(path) == 200
    return time.monotonic() - began


@pytest.mark.slow
def test_other_pages_answer_during_a_flood_of_wrong_passwords(server: Server, token: str) -> None:
    with Flood(server, token) as flood:
        wait_until(lambda: flood.seconds, "the answer to a wrong password", 30)
        pages = [seconds_for(server, "/help") for _ in range(20)]
        answer = sign_in(server, token, server.user, "correct horse battery", "127.0.0.2")
        if answer.status == 503:  # on a busy machine no place gets free within ten seconds
            time.sleep(int(answer.headers["Retry-After"]))
            answer = sign_in(server, token, server.user, "correct horse battery", "127.0.0.2")
    # Without the bound of the queue, pages wait for threads: up to five times as long as the quickest wrong password.
    assert sorted(pages)[17] < min(flood.seconds), f"pages waited {max(pages):.1f} s at last"
    assert answer.status == 303, "a user at another address can sign in during the flood"
    statuses = Counter(one.status for one in flood.answers)
    assert {401, 503} <= set(statuses) <= {401, 429, 503}, statuses
    assert {one.headers["Retry-After"] for one in flood.answers if one.status == 503} == {"5"}


def test_invalid_names_use_no_memory(server: Server, token: str) -> None:
    def post(number: int) -> None:
        # One wide character makes Python store all characters in four bytes each.
        assert sign_in(server, token, f"{number}" + "x" * 58_000 + "\N{GRINNING FACE}", "x" * 1_100).status == 401

    for number in range(30):
        post(number)
    before = server.rss_bytes()
    for number in range(30, 330):
        post(number)
    grown = server.rss_bytes() - before
    assert grown < 20_000_000, f"300 names took {grown / 1e6:.0f} MB"
