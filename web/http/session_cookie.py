"""The viewer's one cookie, and the form token that is bound to it.

Nothing is stored in a cookie: signed in, it holds the session's secret; before that, a random guest value that is worth
nothing but the form token of the sign-in page. Flask's own signed session is not used.
"""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from flask import Flask, Request, g, request
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.wrappers import Response

SECURE_NAME = "__Host-subscope"  # browsers accept it only with Secure, Path=/ and no Domain
LOOPBACK_NAME = "subscope"
NEEDS_HTTPS = "Signing in needs https: over plain http anybody on the way could read the password."
_GUEST = "guest."
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class FormSession(dict[str, object], SessionMixin):
    """What Flask-WTF takes for a session: the raw form token, derived from the cookie instead of stored."""

    guest = ""


class FormSessions(SessionInterface):
    """Derives the form token from the cookie; gives a guest a cookie when a page with a form was rendered."""

    def open_session(self, app: Flask, request: Request) -> FormSession:
        """The form token of the request's cookie, or of a new guest."""
        opened = FormSession()
        held = held_cookie(request)
        if not held:
            opened.guest = _GUEST + secrets.token_urlsafe(32)
        key = str(app.secret_key).encode()
        opened["csrf_token"] = hmac.new(key, (held or opened.guest).encode(), hashlib.sha256).hexdigest()
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send a new guest's cookie along with the first form."""
        if isinstance(session, FormSession) and session.guest and "csrf_token" in g and "cookie_replaced" not in g:
            _send(response, session.guest)


def cookie_name(asked: Request) -> str | None:
    """The cookie's name; None on plain http to another machine, where no cookie is safe."""
    if asked.is_secure:
        return SECURE_NAME
    return LOOPBACK_NAME if urlsplit(f"//{asked.host}").hostname in _LOOPBACK else None


def held_cookie(asked: Request) -> str:
    """The cookie's value; empty when there is none."""
    name = cookie_name(asked)
    return asked.cookies.get(name, "") if name else ""


def session_cookie(asked: Request) -> str:
    """The cookie's value when it may belong to somebody signed in; empty for guests."""
    held = held_cookie(asked)
    return "" if held.startswith(_GUEST) else held


def replace_cookie(response: Response, value: str) -> None:
    """Set the cookie to ``value``; delete it when empty."""
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
