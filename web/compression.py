"""Static files go out compressed, each compressed once. Cloud Run does not do it.

Pages do not: what compresses a secret (the form token) beside something an address can choose (the filter) tells the
secret's letters by its length (breachattack.com). They are small; scripts and style sheets are what weighs.
"""

import gzip
from functools import lru_cache

from flask import Flask, request
from werkzeug.wrappers import Response

# By end point, never by type: nothing with a person's data may be listed here.
_COMPRESSED = frozenset({"static", "bootstrap.static", "messages.pygments_css"})
_LEAST_BYTES = 1024


def init_app(app: Flask) -> None:
    """Compress static files for clients that accept it."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if request.endpoint not in _COMPRESSED:
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code != 200 or not request.accept_encodings["gzip"] or request.method == "HEAD":
        return response
    response.direct_passthrough = False
    content = response.get_data()
    if len(content) < _LEAST_BYTES:
        return response
    response.set_data(_compressed(content))
    response.content_encoding = "gzip"
    etag, _ = response.get_etag()
    if etag:  # another representation, which means the same
        response.set_etag(etag, weak=True)
    return response


@lru_cache(maxsize=64)
def _compressed(content: bytes) -> bytes:
    # No time stamp: every instance sends the same bytes.
    return gzip.compress(content, compresslevel=9, mtime=0)
