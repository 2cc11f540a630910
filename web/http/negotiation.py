"""Decide from a request which kind of answer it wants, and how long an address may become."""

from flask import request

# gunicorn reads request lines of 8,190 bytes (web/gunicorn.conf.py); a stream's position or a page's cursor is added.
MAX_ADDRESS_CHARACTERS = 8_000


def wants_page() -> bool:
    """Tell whether a browser asks for a whole page, and not a script for data or for a part of a page."""
    if "part" in request.args or request.path.startswith("/api/"):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
