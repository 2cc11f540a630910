"""What goes out compressed: static files, each compressed once, and pages that nobody else can make a browser fetch.

Cloud Run does not do it. What compresses a secret (the form token, a message) beside something that another site can
choose (the filter in an address) tells the secret's letters by its length (breachattack.com). So a page is compressed
only when the browser says that this site asked for it, or the person's own address bar.
"""

import gzip
from collections.abc import Callable
from functools import lru_cache

from flask import Flask, request
from werkzeug.wrappers import Response

# By end point, never by type: what is listed here is sent to everybody alike.
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
    """Whether no other site can have chosen the address; browsers that do not say so get pages as they are."""
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
    if etag:  # another representation, which means the same
        response.set_etag(etag, weak=True)
    return response


def _compress_page(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=_PAGE_LEVEL, mtime=0)


@lru_cache(maxsize=64)
def _compress_file(content: bytes) -> bytes:
    # No time stamp: every instance sends the same bytes.
    return gzip.compress(content, compresslevel=9, mtime=0)
