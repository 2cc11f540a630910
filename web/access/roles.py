"""The role that every route declares, checked before the route runs, and the user behind a request.

A route without a declared role answers 403 to every user. This module renders nothing; ``web.access.sign_in`` signs
users in and out.
"""

from collections.abc import Callable
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask_login import LoginManager, current_user
from werkzeug.wrappers import Response

from infra.accounts.user import Role, User
from infra.errors import StoreError, StoreUnavailableError
from web.access.iap import HEADER, IapVerifier
from web.http.negotiation import MAX_ADDRESS_CHARACTERS, wants_page
from web.http.session_cookie import session_cookie
from web.services import services

Access = Literal["public", "viewer", "operator", "admin"]
_STREAM = "live.live"
View = TypeVar("View", bound=Callable[..., object])

# Routes without a view of ours: web.http.static_files and Bootstrap-Flask make them.
_UNDECLARED: dict[str, Access] = {"static": "public", "bootstrap.static": "public"}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class LoginUser:
    """A signed-in user with the attributes that Flask-Login requires."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        """Return the user's name."""
        return self.user.name


def requires(access: Access) -> Callable[[View], View]:
    """Declare the lowest role that may use a route; ``public`` needs no sign-in."""

    def declare(view: View) -> View:
        view.subscope_access = access  # type: ignore[attr-defined]
        return view

    return declare


def when_signed_out(answer: Callable[[], Response]) -> Callable[[View], View]:
    """Declare the answer of a route to a signed-out browser, instead of the redirect to the sign-in page."""

    def declare(view: View) -> View:
        view.subscope_signed_out = answer  # type: ignore[attr-defined]
        return view

    return declare


login_required = requires("viewer")
public = requires("public")


def access_of(app: Flask, endpoint: str) -> Access | None:
    """Return the access that a route declares; None if it declares nothing."""
    view = app.view_functions.get(endpoint)
    declared: Access | None = getattr(view, "subscope_access", None) or _UNDECLARED.get(endpoint)
    return declared


def init_app(app: Flask) -> None:
    """Let Flask-Login find the user behind a request."""
    # Its context processor would read Firestore again, also for the page that reports that Firestore is down.
    manager = LoginManager(app, add_context_processor=False)
    manager.session_protection = None  # sessions are on the server, and a changed client address does not end them
    manager.request_loader(_load_user)


def signed_in_user() -> User:
    """Return the user behind the current request, on a route that requires a role. Raises 401 on other routes."""
    user: User | None = g.get("user")
    if user is None:
        abort(401)
    return user


def session_still_valid() -> Callable[[], bool]:
    """Return a check of the current session that can be called later, outside of the request.

    While Firestore does not answer, the session counts as valid: the caller gets no data in that time anyway.
    If Firestore refuses the read, the session cannot be verified and counts as ended.
    """
    sessions, users, cookie = services().sessions, services().users, session_cookie(request)
    user = signed_in_user()
    by_iap = services().iap is not None

    def check() -> bool:
        try:
            if not by_iap:
                return sessions.look_up(cookie) is not None
            # IAP checks requests only when they begin, and an open stream is one request: compare the stored user.
            stored = users.get(user.name)
            return stored is not None and stored.generation == user.generation
        except StoreUnavailableError:
            return True
        except StoreError:
            return False

    return check


def _load_user(_request: object) -> LoginUser | None:
    if iap := services().iap:
        return _load_user_of_iap(iap)
    cookie = session_cookie(request)
    sessions = services().sessions
    # EventSource reconnects by itself for hours, so the stream does not count as activity and does not extend the
    # session. A page in use makes other requests, which do.
    resolve = sessions.look_up if request.endpoint == _STREAM else sessions.resolve
    resolved = resolve(cookie) if cookie else None
    return LoginUser(resolved.user) if resolved else None


def _load_user_of_iap(iap: IapVerifier) -> LoginUser:
    email = iap.email(request.headers.get(HEADER, ""))
    user = services().users.get(email)
    if user is None:
        abort(403, f"{email} is not a user here. Ask an administrator to add you.")
    return LoginUser(user)


def refuse_other_origins() -> None:
    """Refuse a change that another site's page makes a browser send, even with a valid form token (T13)."""
    if request.method in _SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    # Flask-WTF compares the Referer with the host. It raises for an address that no browser sends.
    addresses = (origin or "", request.headers.get("Referer", ""), f"//{request.host}")
    if not all(map(_can_be_parsed, addresses)):
        abort(403, "This request came from another site.")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403, "This request came from another site.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, "This request came from another site.")


def _can_be_parsed(address: str) -> bool:
    try:
        return (urlsplit(address).port or 0) >= 0
    except ValueError:
        return False


def check_role() -> Response | None:
    """Check the role that the request's route declares. Returns the redirect to the sign-in page, if that is needed.

    Raises 401 or 403.
    """
    if not request.endpoint:  # unknown address or method: Flask answers 404 or 405
        return None
    access = access_of(current_app, request.endpoint)
    if access == "public":
        return None
    if access is None:
        services().log.error("A route declares no role.", endpoint=request.endpoint)
        abort(403)
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    user: User = current_user.user
    g.user = user
    if not user.may(access):
        abort(403, _needs(access))
    return None


def _ask_to_sign_in() -> Response | None:
    if not wants_page():
        abort(401)
    view = current_app.view_functions.get(request.endpoint or "")
    answer: Callable[[], Response] | None = getattr(view, "subscope_signed_out", None)
    if answer:
        return answer()
    address = request.full_path if request.query_string else request.path
    target = address if request.method == "GET" and request.path != "/" else None
    login = url_for("sign_in.login", next=target)
    # A long filter, escaped twice, exceeds the limit of a request line: then sign in without it.
    return redirect(login if len(login) <= MAX_ADDRESS_CHARACTERS else url_for("sign_in.login"), 303)


def _needs(role: Role) -> str:
    return f"This needs the role {role}. Ask an administrator, who can give it to you."
