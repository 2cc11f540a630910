"""Static files are compressed for clients that accept it; pages only if no other site can have requested them."""

import gzip
import posixpath
import re
from pathlib import Path

import pytest
from flask import Flask

from tests.support.firestore.writer import Writer
from tests.support.viewer.visitor import PAGE, Visitor
from web.http import compression
from web.http.static_files import current_version

GZIP = {"Accept-Encoding": "gzip, br"}
STATIC = f"/static/{current_version()}"
MAIN = f"{STATIC}/js/list/list_page.js"
PATHS = [f"{STATIC}/css/common/base.css", MAIN, f"{STATIC}/bootstrap/css/bootstrap.min.css", "/pygments.css"]


@pytest.mark.parametrize("path", PATHS)
def test_static_file_is_the_same_with_and_without_compression(stranger: Visitor, path: str) -> None:
    compressed = stranger.client.get(path, headers=GZIP)
    plain = stranger.client.get(path)
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(compressed.data) == plain.data
    assert len(compressed.data) < len(plain.data) / 2
    for answer in (compressed, plain):
        assert "Accept-Encoding" in answer.headers["Vary"]
        answer.close()


def test_unchanged_static_file_answers_304(stranger: Visitor) -> None:
    first = stranger.client.get(MAIN, headers=GZIP)
    again = stranger.client.get(MAIN, headers=GZIP | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    first.close()
    again.close()


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_page_requested_by_this_site_or_the_address_bar_is_compressed(viewer: Visitor, site: str) -> None:
    answer = viewer.client.get("/help", headers=PAGE | GZIP | {"Sec-Fetch-Site": site})
    plain = viewer.client.get("/help", headers=PAGE | {"Sec-Fetch-Site": site})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data).startswith(b"<!doctype html>")
    assert len(answer.data) < len(plain.data) / 2
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("asked", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
def test_page_that_another_site_may_request_is_not_compressed(viewer: Visitor, asked: dict[str, str]) -> None:
    answer = viewer.client.get("/messages?q=secret", headers=PAGE | GZIP | asked)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


def test_first_page_stays_within_its_size_budget(viewer: Visitor, writer: Writer) -> None:
    """The limit is 150 kB for fifty messages and all files that the page loads, without payloads."""
    writer.messages(50, attributes={"kind": "order", "status": "WORKING"})
    first = viewer.client.get("/messages", headers=PAGE | GZIP | {"Sec-Fetch-Site": "none"})
    page = gzip.decompress(first.data).decode()
    assert page.count('<tr class="message') >= 50
    named = set(re.findall(rf'"({STATIC}/[\w./]+\.(?:js|css))"', page))
    wanted = {"/pygments.css", *closure(viewer, named)}
    assert len(wanted) > 20, wanted
    weight = len(first.data)
    for path in wanted:
        answer = viewer.client.get(path, headers=GZIP)
        weight += len(answer.data)
        answer.close()
    assert weight < 150_000, weight


def closure(viewer: Visitor, wanted: set[str]) -> set[str]:
    """Return the addresses of these files and of all files that they import."""
    found = set[str]()
    while wanted:
        path = wanted.pop()
        found.add(path)
        answer = viewer.client.get(path)
        assert answer.status_code == 200, path
        imported = re.findall(r'(?:from|import|@import url\()\s*"([\w./]+)"', answer.text)
        wanted |= {posixpath.normpath(f"{posixpath.dirname(path)}/{name}") for name in imported} - found
        answer.close()
    return found


def test_each_static_file_is_compressed_once(app: Flask, stranger: Visitor) -> None:
    folder = Path(app.static_folder or "")
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in (".js", ".css")]
    assert len(files) > 50
    misses = []
    for _ in range(2):
        for name in files:
            stranger.client.get(f"{STATIC}/{name}", headers=GZIP).close()
        misses.append(compression._compress_file.cache_info().misses)
    assert misses[0] == misses[1], "the second time, each compressed file comes from the cache"
