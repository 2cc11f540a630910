"""Static files are sent compressed to who accepts it; nothing of a person's is."""

import gzip
import re

import pytest

from tests.web.visitor import PAGE, Visitor

GZIP = {"Accept-Encoding": "gzip, br"}
PATHS = ["/static/subscope.css", "/static/app.js", "/bootstrap/static/css/bootstrap.min.css", "/pygments.css"]


@pytest.mark.parametrize("path", PATHS)
def test_a_static_file_is_the_same_compressed_and_plain(stranger: Visitor, path: str) -> None:
    compressed = stranger.client.get(path, headers=GZIP)
    plain = stranger.client.get(path)
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(compressed.data) == plain.data
    assert len(compressed.data) < len(plain.data) / 2
    for answer in (compressed, plain):
        assert "Accept-Encoding" in answer.headers["Vary"]
        answer.close()


def test_a_file_that_is_known_is_not_sent_again(stranger: Visitor) -> None:
    first = stranger.client.get("/static/app.js", headers=GZIP)
    again = stranger.client.get("/static/app.js", headers=GZIP | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    first.close()
    again.close()


def test_pages_are_not_compressed(viewer: Visitor) -> None:
    answer = viewer.client.get("/messages", headers=PAGE | GZIP)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


def test_the_first_page_weighs_little(viewer: Visitor) -> None:
    """Under 150 kB with all it brings along, payloads aside: 50 rows come on top."""
    page = viewer.client.get("/messages", headers=PAGE).text
    scripts = {f"/static/{name}" for name in re.findall(r'"/static/([\w.]+\.(?:js|css))', page)}
    styles = set(re.findall(r'href="(/bootstrap/static/[^"]+\.css)', page))
    wanted = {"/pygments.css", *scripts, *styles, *(f"/static/{name}" for name in modules(viewer))}
    weight = len(page.encode())
    for path in wanted:
        answer = viewer.client.get(path, headers=GZIP)
        weight += len(answer.data)
        answer.close()
    assert weight < 150_000


def modules(viewer: Visitor) -> set[str]:
    """Every module that the page's script imports."""
    found, wanted = set[str](), {"app.js"}
    while wanted:
        name = wanted.pop()
        found.add(name)
        answer = viewer.client.get(f"/static/{name}")
        wanted |= set(re.findall(r'from "\./([\w.]+)"', answer.text)) - found
        answer.close()
    return found
