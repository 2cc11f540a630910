"""The first page as a browser gets it, with a small and with a large history stored."""

import gzip
import http.cookiejar
import posixpath
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path

from tests.benchmarks.timings import Found
from tests.support.firestore.writer import Writer
from tests.support.local_cloud import Cloud, start_cloud

ROUNDS = 60
BATCH = 400
BROWSER = {"Accept": "text/html, */*", "Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}


def measure_pages(directory: Path, counts: Sequence[int]) -> Iterator[tuple[int, Found]]:
    """Store each count of messages in rising order, and ask for the first page many times."""
    with start_cloud(directory) as cloud:
        cookie = sign_in(cloud)
        writer = Writer(cloud["firestore"], GOOGLE_CLOUD_PROJECT=cloud["project"])
        stored = 0
        for count in counts:
            fill(writer, count - stored)
            stored = count
            first_bytes(cloud, cookie, 5)  # the first query of a shape builds its index
            seconds = first_bytes(cloud, cookie, ROUNDS)
            yield count, Found(seconds, f"page and all it loads: {weight(cloud, cookie) / 1000:.0f} kB compressed")
        writer.close()


def fill(writer: Writer, count: int) -> None:
    for first in range(0, count, BATCH):
        number = min(BATCH, count - first)
        data = b'{"status": "WORKING", "number": 1}'
        writer.messages(number, data=data, preview=data.decode(), kind="json", attributes={"status": "WORKING"})


def sign_in(cloud: Cloud) -> str:
    """Sign in by the form; return the session's cookie."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    form = browser.open(cloud["viewer"] + "/login", timeout=10).read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token, "the form has no token"
    fields = {"username": cloud["admin_user"], "password": cloud["admin_password"], "csrf_token": token.group(1)}
    browser.open(cloud["viewer"] + "/login", urllib.parse.urlencode(fields).encode(), timeout=10).close()
    return "; ".join(f"{one.name}={one.value}" for one in jar)


def first_bytes(cloud: Cloud, cookie: str, rounds: int) -> list[float]:
    """Return the seconds from request to first byte, on one connection."""
    connection = HTTPConnection(urllib.parse.urlsplit(cloud["viewer"]).netloc, timeout=30)
    seconds = []
    for _ in range(rounds):
        began = time.monotonic()
        connection.request("GET", "/messages", headers={**BROWSER, "Cookie": cookie})
        answer = connection.getresponse()
        seconds.append(time.monotonic() - began)
        assert answer.status == 200, answer.status
        answer.read()
    connection.close()
    return seconds


def weight(cloud: Cloud, cookie: str) -> int:
    """Return the bytes of the page and of every style sheet and script that it loads."""
    page = get(cloud, cookie, "/messages")
    paths = set(re.findall(r'(?:href|src)="((?:/static|/bootstrap|/pygments)[^"]+)"', plain(page)))
    total, wanted = len(page), paths
    while wanted:
        path = wanted.pop()
        content = get(cloud, cookie, path.replace("&amp;", "&"))
        total += len(content)
        modules = (
            re.findall(r'(?:from|import|@import url\()\s*"([\w./]+)"', plain(content)) if "/static/" in path else []
        )
        folder = posixpath.dirname(path.partition("?")[0])
        new = {posixpath.normpath(f"{folder}/{name}") for name in modules} - {one.partition("?")[0] for one in paths}
        paths |= new
        wanted |= new
    return total


def get(cloud: Cloud, cookie: str, path: str) -> bytes:
    headers = {**BROWSER, "Cookie": cookie}
    with urllib.request.urlopen(urllib.request.Request(cloud["viewer"] + path, headers=headers), timeout=10) as answer:
        content: bytes = answer.read()
    return content


def plain(content: bytes) -> str:
    return (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode()
