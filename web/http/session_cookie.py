"""The viewer's only cookie, and the form token that is derived from it.

The cookie of a signed-in user is the secret of the session, which is stored on the server. A guest's cookie is a random
value that serves only the form token of the sign-in page. Flask's signed session is not used.
"""

import hashlib
import hmac
import re
import secrets

from flask import Flask, Request, g, request
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.wrappers import Response

SECURE_NAME = "__Host-subscope"  # browsers accept it only with Secure, Path=/ and no Domain
LOOPBACK_NAME = "subscope"
NEEDS_HTTPS = "Signing in needs https: over plain http the network could read the password."
_GUEST = "guest."
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]*)?", re.IGNORECASE)


class FormSession(dict[str, object], SessionMixin):
    """The session object that Flask-WTF reads the raw form token from; nothing of it is stored."""

    guest = ""


class FormSessionInterface(SessionInterface):
    """Derives the form token from the cookie, and sends a guest a cookie with the first form."""

    def open_session(self, app: Flask, request: Request) -> FormSession:
        """Return the form token of the request's cookie, or of a new guest."""
        opened = FormSession()
        value = cookie_value(request)
        if not value:
            opened.guest = _GUEST + secrets.token_urlsafe(32)
        key = str(app.secret_key).encode()
        opened["csrf_token"] = hmac.new(key, (value or opened.guest).encode(), hashlib.sha256).hexdigest()
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send a new guest's cookie with the first page that has a form."""
        if isinstance(session, FormSession) and session.guest and "csrf_token" in g and "cookie_replaced" not in g:
            _send(response, session.guest)


def cookie_name(req: Request) -> str | None:
    """Return the cookie's name; None on plain http to another machine, where no cookie is safe."""
    if req.is_secure:
        return SECURE_NAME
    return LOOPBACK_NAME if _LOOPBACK.fullmatch(req.host) else None


def cookie_value(req: Request) -> str:
    """Return the cookie's value; empty if there is no cookie."""
    name = cookie_name(req)
    return req.cookies.get(name, "") if name else ""


def session_cookie(req: Request) -> str:
    """Return the cookie's value if it can be the secret of a session; empty for guests."""
    value = cookie_value(req)
    return "" if value.startswith(_GUEST) else value


def replace_cookie(response: Response, value: str) -> None:
    """Set the cookie to ``value``; an empty value deletes it."""
    _send(response, value)
    g.cookie_replaced = True


def _send(response: Response, value: str) -> None:
    name = cookie_name(request)
    if not name:
        return
    if value:
        response.set_cookie(name, value, path="/", secure=request.is_secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(name, path="/", secure=request.is_secure, httponly=True, samesite="Lax")
