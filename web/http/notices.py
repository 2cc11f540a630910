"""The notice after a form: the redirect's address names it, and each page has a table of sentences for its own.

Shown to whoever comes from one of our pages: a link of somebody else's must not make a page say that a password was
changed. Browsers say where a navigation comes from (w3.org/TR/fetch-metadata); one that does not is believed.
"""

from flask import request

_OURS = "same-origin"


def asked_notice() -> str:
    """The notice that the request's address names; empty when no page of ours led here."""
    is_ours = request.headers.get("Sec-Fetch-Site", _OURS) == _OURS
    return request.args.get("notice", "") if is_ours else ""
