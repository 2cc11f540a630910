"""Answer every error in one shape: a page for browsers, JSON for scripts, with the status that the error carries.

::

    {"error": {"status": 404, "title": "Not found", "detail": "…"}}

An error of ours (status 500 and above) is logged, and its sentence is not shown. BusyError is the exception: nothing is
broken, and its sentence is written for the client.
"""

import math
import traceback
from datetime import UTC, datetime

from flask import Flask, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadHost, HTTPException
from werkzeug.wrappers import Response

from infra.accounts.lock_policy import LockedError
from infra.errors import BusyError, KeysUnavailableError, StoreDeniedError, SubscopeError, SubscriptionUnavailableError
from web.http.negotiation import wants_page
from web.http.session_cookie import NEEDS_HTTPS, cookie_name
from web.services import services

RETRY_SECONDS = 5
_TEXTS = {
    400: ("That did not work", "The request could not be understood."),
    401: ("You are signed out", "Sign in again; you return to this page."),
    403: ("Not allowed", "Your role does not include this."),
    404: ("Not found", "This address does not exist. The message may have expired, or the link is incomplete."),
    405: ("Method not allowed", "This address does not accept this kind of request."),
    409: ("Conflict", "Someone else changed this first; reload and try again."),
    410: ("Gone", "It has expired."),
    413: ("Too large", "The form accepts less data than that."),
    421: ("Another address", "This viewer does not answer for this host."),
    429: ("Slow down, please", "Too many attempts. Try again in a moment."),
    500: ("Something broke", "This is an error in Subscope. It has been logged; you can try again."),
    502: ("Pub/Sub refused", "Google Pub/Sub refused this request. The reason is in the log."),
    503: ("Not reachable right now", "The database does not answer. Nothing is lost: messages wait in Pub/Sub."),
}
_BUSY = "Busy right now"
_PUBSUB_DOWN = "Pub/Sub does not answer, so the result is unknown. Check the state, and try again in a moment."
_KEYS_DOWN = (
    "Google's keys for Identity-Aware Proxy cannot be fetched, so users cannot be verified. Try again in a moment."
)
_TO_SCRIPTS = (
    "Send the csrf_token of {page} as the header X-CSRFToken, with the same cookie, and over https a Referer of this "
    "host."
)
_FIRESTORE_DENIED = (
    "Firestore does not allow this monitor's service account to read and write. The account needs the role "
    "roles/datastore.user, or another role with the same permissions."
)


def init_app(app: Flask) -> None:
    """Register the handlers of all errors."""
    app.register_error_handler(SubscopeError, _subscope_error)
    app.register_error_handler(CSRFError, stale_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def texts(status: int) -> tuple[str, str]:
    """Return the title and the sentence of a status."""
    return _TEXTS.get(status) or _TEXTS[500 if status >= 500 else 400]


def answer(status: int, detail: str = "", headers: dict[str, str] | None = None, *, title: str = "") -> Response:
    """Return an error as a page, or as JSON for scripts. ``detail`` and ``title`` replace the status's texts."""
    usual_title, sentence = texts(status)
    title = title or usual_title
    # A page needs addresses, which cannot be built for a host that is no host.
    if wants_page() and not isinstance(request.routing_exception, BadHost):
        body = render_template("layout/error.html", status=status, title=title, detail=detail or sentence)
        response = make_response(body, status)
    else:
        response = make_response(
            jsonify(error={"status": status, "title": title, "detail": detail or sentence}), status
        )
    response.headers.update(headers or {})
    return response


def retry_after(error: SubscopeError) -> dict[str, str]:
    """Return the header Retry-After for a lock or a status 503, and no header for other errors."""
    if isinstance(error, LockedError):
        seconds_left = (error.until - datetime.now(UTC)).total_seconds()
        return {"Retry-After": str(max(1, math.ceil(seconds_left)))}
    return {"Retry-After": str(RETRY_SECONDS)} if error.status == 503 else {}


def _subscope_error(error: SubscopeError) -> ResponseReturnValue:
    _log(error)
    title = _BUSY if isinstance(error, BusyError) else ""
    detail = str(error) if error.status < 500 else _hint(error)
    return answer(error.status, detail, retry_after(error), title=title)


def _log(error: SubscopeError) -> None:
    context = {"error": type(error).__name__, "traceparent": request.headers.get("traceparent"), "path": request.path}
    if isinstance(error, BusyError):
        services().log.warning(str(error), **context)
    elif error.status >= 500:
        services().log.error(str(error), **context)


def _hint(error: SubscopeError) -> str:
    """Return the sentence that a user may read about an error of ours; empty if only the log has details."""
    match error:
        case BusyError():
            return str(error)
        case KeysUnavailableError():
            return _KEYS_DOWN
        case SubscriptionUnavailableError():
            return _PUBSUB_DOWN
        case StoreDeniedError():
            return _FIRESTORE_DENIED
        case _:
            return ""


def stale_form(error: CSRFError) -> ResponseReturnValue:
    """Answer a form without a valid token. A blueprint that keeps the typed form handles this error itself."""
    if not cookie_name(request):
        return answer(400, NEEDS_HTTPS)
    if _is_script():
        page = "the page /login" if request.endpoint == "sign_in.sign_in" else "GET /api/v1/session"
        return answer(400, f"{error.description} {_TO_SCRIPTS.format(page=page)}")
    return answer(400, "This form is from an earlier sign-in. Go back, reload the page and try again.")


def _is_script() -> bool:
    """Tell whether a script sent the request. Browsers add Sec-Fetch-Site, also to requests that our pages send."""
    return request.path.startswith("/api/") or not (wants_page() or "Sec-Fetch-Site" in request.headers)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    # Werkzeug's default sentences explain HTTP, not Subscope; abort(…, "…") replaces them by one of ours.
    detail = error.description if error.description != type(error).description else None
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return answer(status, detail or "", headers)


def _unexpected(error: Exception) -> ResponseReturnValue:
    services().log.error(
        "unexpected error",
        error=type(error).__name__,
        stack=traceback.format_exc(),
        traceparent=request.headers.get("traceparent"),
        path=request.path,
    )
    g.pop("user", None)  # so that the error page renders nothing that depends on the broken request
    return answer(500)
