"""Compress static files, each once, and pages that no other site can make a browser fetch. Cloud Run does not compress.

A page has secrets (the form token, messages) beside text that another site can choose (the filter in the address). The
compressed length then reveals the secret letter by letter (breachattack.com). So a page is compressed only if the
browser says that this site or the address bar asked for it.
"""

import gzip
from collections.abc import Callable
from functools import lru_cache

from flask import Flask, request
from werkzeug.wrappers import Response

# By endpoint, not by type: these answers are the same for all clients.
_STATIC = frozenset({"static", "bootstrap.static", "messages.pygments_css"})
_MIN_BYTES = 1024
_PAGE_LEVEL = 5  # 2 ms for a full list; more costs twice that and saves a twentieth


def init_app(app: Flask) -> None:
    """Compress for clients that accept it."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if request.endpoint in _STATIC:
        response.vary.add("Accept-Encoding")
        return _replace(response, _compress_file) if response.status_code == 200 else response
    if response.mimetype == "text/html" and not response.is_streamed and _asked_for_here():
        return _replace(response, _compress_page)
    return response


def _asked_for_here() -> bool:
    """Tell whether no other site can have chosen the address; without the header, the page is not compressed."""
    return request.headers.get("Sec-Fetch-Site") in ("same-origin", "none")


def _replace(response: Response, compress: Callable[[bytes], bytes]) -> Response:
    if not request.accept_encodings["gzip"] or request.method == "HEAD":
        return response
    response.direct_passthrough = False
    content = response.get_data()
    if len(content) < _MIN_BYTES:
        return response
    response.set_data(compress(content))
    response.content_encoding = "gzip"
    etag, _ = response.get_etag()
    if etag:  # another representation with the same meaning
        response.set_etag(etag, weak=True)
    return response


def _compress_page(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=_PAGE_LEVEL, mtime=0)


# More than there are static files: a page loads about sixty in turn, and a smaller cache would keep none of them.
@lru_cache(maxsize=256)
def _compress_file(content: bytes) -> bytes:
    # Without a time stamp, so that all instances send the same bytes.
    return gzip.compress(content, compresslevel=9, mtime=0)
