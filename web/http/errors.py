"""What an error looks like: one page for people, one JSON shape for scripts, the status from the error itself.

::

    {"error": {"status": 404, "title": "Not found", "detail": "…"}}

A failure of ours (500 and above) is logged, and its inner sentence stays in the log. Too many at once (BusyError) is no
failure: its sentence is for who asked.
"""

import math
import traceback
from datetime import UTC, datetime

from flask import Flask, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from infra.accounts.lock_policy import LockedError
from infra.errors import BusyError, KeysUnavailableError, StoreDeniedError, SubscopeError, SubscriptionUnavailableError
from web.http.negotiation import wants_page
from web.http.session_cookie import NEEDS_HTTPS, cookie_name
from web.services import services

RETRY_SECONDS = 5
_WORDS = {
    400: ("That did not work", "The request could not be understood."),
    401: ("You are signed out", "Sign in again to go on; you come back to where you were."),
    403: ("Not allowed", "Your role does not include this."),
    404: ("Not found", "There is nothing at this address. A message may have expired, or the link may be cut short."),
    405: ("Not possible this way", "This address does not take that kind of request."),
    409: ("Already there", "Somebody else was quicker."),
    410: ("Gone", "It has expired and will not come back."),
    413: ("Too large", "That is more than this form takes."),
    429: ("Slow down, please", "Too many attempts. Try again in a moment."),
    500: ("Something broke", "That is our fault, not yours. It has been logged; trying again does no harm."),
    502: ("Pub/Sub refused", "Google Pub/Sub refused this. The log says why."),
    503: ("Not reachable right now", "The database does not answer. Nothing is lost: messages wait in Pub/Sub."),
}
_BUSY = "Busy right now"
_PUBSUB_AWAY = "Pub/Sub does not answer. Whether it was done is not known: look, and try again in a moment."
_KEYS_AWAY = (
    "Google's keys for Identity-Aware Proxy cannot be fetched, so nobody can be recognised. Try again in a moment."
)
_TO_SCRIPTS = (
    "Send the csrf_token of {page} as the header X-CSRFToken, with the same cookie, and over https a Referer of this "
    "host."
)
_FIRESTORE_DENIED = (
    "Firestore does not let this monitor's service account read and write. It needs the role roles/datastore.user, "
    "or one that allows as much."
)


def init_app(app: Flask) -> None:
    """Answer every error in one shape."""
    app.register_error_handler(SubscopeError, _subscope_error)
    app.register_error_handler(CSRFError, stale_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def words(status: int) -> tuple[str, str]:
    """The title and the sentence of a status."""
    return _WORDS.get(status) or _WORDS[500 if status >= 500 else 400]


def answer(status: int, detail: str = "", headers: dict[str, str] | None = None, *, title: str = "") -> Response:
    """An error's response: a page when a person asked, JSON otherwise; the status has a title of its own."""
    usual, sentence = words(status)
    title = title or usual
    if wants_page():
        body = render_template("layout/error.html", status=status, title=title, detail=detail or sentence)
        response = make_response(body, status)
    else:
        response = make_response(
            jsonify(error={"status": status, "title": title, "detail": detail or sentence}), status
        )
    response.headers.update(headers or {})
    return response


def retry_after(error: SubscopeError) -> dict[str, str]:
    """The header that says when to try again; none where that would not help."""
    if isinstance(error, LockedError):
        left = (error.until - datetime.now(UTC)).total_seconds()
        return {"Retry-After": str(max(1, math.ceil(left)))}
    return {"Retry-After": str(RETRY_SECONDS)} if error.status == 503 else {}


def _subscope_error(error: SubscopeError) -> ResponseReturnValue:
    _log(error)
    title = _BUSY if isinstance(error, BusyError) else ""
    detail = str(error) if error.status < 500 else _hint(error)
    return answer(error.status, detail, retry_after(error), title=title)


def _log(error: SubscopeError) -> None:
    about = {"error": type(error).__name__, "traceparent": request.headers.get("traceparent"), "path": request.path}
    if isinstance(error, BusyError):
        services().log.warning(str(error), **about)
    elif error.status >= 500:
        services().log.error(str(error), **about)


def _hint(error: SubscopeError) -> str:
    """What a person can do about a failure of ours; empty when only the log tells more."""
    match error:
        case BusyError():
            return str(error)
        case KeysUnavailableError():
            return _KEYS_AWAY
        case SubscriptionUnavailableError():
            return _PUBSUB_AWAY
        case StoreDeniedError():
            return _FIRESTORE_DENIED
        case _:
            return ""


def stale_form(error: CSRFError) -> ResponseReturnValue:
    """The answer to a form without a token that counts; a part with a form that is worth keeping may do more."""
    if not cookie_name(request):
        return answer(400, NEEDS_HTTPS)
    if _is_script():
        page = "the page /login" if request.endpoint == "sign_in.sign_in" else "GET /api/v1/session"
        return answer(400, f"{error.description} {_TO_SCRIPTS.format(page=page)}")
    return answer(400, "This form is from an earlier sign-in. Go back, reload the page and try again.")


def _is_script() -> bool:
    """Whether nobody looks at a page: a browser says from where it sends, for our pages' own requests, too."""
    return request.path.startswith("/api/") or not (wants_page() or "Sec-Fetch-Site" in request.headers)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    # Werkzeug's own sentences explain HTTP, not Subscope; ours are set by hand on abort(…, "…").
    ours = error.description if error.description != type(error).description else None
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return answer(status, ours or "", headers)


def _unexpected(error: Exception) -> ResponseReturnValue:
    services().log.error(
        "unexpected error",
        error=type(error).__name__,
        stack=traceback.format_exc(),
        traceparent=request.headers.get("traceparent"),
        path=request.path,
    )
    g.pop("user", None)  # the page of a broken request shows nothing that could break it again
    return answer(500)
