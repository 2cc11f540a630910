"""Who may do what: the declared role of every route, checked before it runs, and the person behind a request.

A route that declares no role is refused to everybody. Signing in and out is ``web.access.sign_in``; nothing is
rendered here.
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
_OTHERS: dict[str, Access] = {"static": "public", "bootstrap.static": "public"}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Visitor:
    """A signed-in person, as Flask-Login wants one."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        """The user's name."""
        return self.user.name


def requires(access: Access) -> Callable[[View], View]:
    """Declare who may use a route: ``public``, or the least role."""

    def declare(view: View) -> View:
        view.subscope_access = access  # type: ignore[attr-defined]
        return view

    return declare


def when_signed_out(answer: Callable[[], Response]) -> Callable[[View], View]:
    """Declare what a route answers to a browser that is signed out, instead of leading to the sign-in page."""

    def declare(view: View) -> View:
        view.subscope_signed_out = answer  # type: ignore[attr-defined]
        return view

    return declare


login_required = requires("viewer")
public = requires("public")


def access_of(app: Flask, endpoint: str) -> Access | None:
    """What a route declares; None when it declares nothing."""
    view = app.view_functions.get(endpoint)
    found: Access | None = getattr(view, "subscope_access", None) or _OTHERS.get(endpoint)
    return found


def init_app(app: Flask) -> None:
    """Let Flask-Login find the user behind a request."""
    # Its context processor would ask Firestore again for the very page that says Firestore is away.
    manager = LoginManager(app, add_context_processor=False)
    manager.session_protection = None  # the session is on the server; an address that changes ends nothing
    manager.request_loader(_visitor)


def signed_in_user() -> User:
    """The person behind the current request, on a route that requires one. Raises 401 otherwise."""
    found: User | None = g.get("user")
    if found is None:
        abort(401)
    return found


def session_still_valid() -> Callable[[], bool]:
    """A check of the current request's session that can be called later, outside of the request.

    While Firestore cannot answer, the session counts as valid: nothing else reaches the caller in that time either.
    Where it refuses to be read, nobody knows who is signed in: the session counts as over.
    """
    sessions, users, cookie = services().sessions, services().users, session_cookie(request)
    user = signed_in_user()
    by_iap = services().iap is not None

    def check() -> bool:
        try:
            if not by_iap:
                return sessions.look_up(cookie) is not None
            # IAP checks each request, and an open stream is one: what we can ask is whether the user is the same still.
            now = users.get(user.name)
            return now is not None and now.generation == user.generation
        except StoreUnavailableError:
            return True
        except StoreError:
            return False

    return check


def _visitor(_request: object) -> Visitor | None:
    if iap := services().iap:
        return _visitor_by_iap(iap)
    cookie = session_cookie(request)
    sessions = services().sessions
    # A stream comes back by itself, for hours: it is nobody's doing. A page that is looked at asks for more than that.
    resolve = sessions.look_up if request.endpoint == _STREAM else sessions.resolve
    resolved = resolve(cookie) if cookie else None
    return Visitor(resolved.user) if resolved else None


def _visitor_by_iap(iap: IapVerifier) -> Visitor:
    email = iap.email(request.headers.get(HEADER, ""))
    user = services().users.get(email)
    if user is None:
        abort(403, f"{email} is not a user here. Ask an administrator to add you.")
    return Visitor(user)


def refuse_other_origins() -> None:
    """Refuse what another site's page makes a browser send, whatever token it carries (T13)."""
    if request.method in _SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403, "This request came from another site.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, "This request came from another site.")


def check_role() -> Response | None:
    """Check the role that the request's route declares. Returns the redirect to the sign-in page, if that is needed.

    Raises 401 or 403.
    """
    if not request.endpoint:  # no such page, or no such method: answered as 404 or 405
        return None
    access = access_of(current_app, request.endpoint)
    if access == "public":
        return None
    if access is None:
        services().log.error("route declares no role", endpoint=request.endpoint)
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
    asked = request.full_path if request.query_string else request.path
    target = asked if request.method == "GET" and request.path != "/" else None
    login = url_for("sign_in.login", next=target)
    # Escaped twice, a long filter is more than a request line takes: better to sign in and lose it than not to get in.
    return redirect(login if len(login) <= MAX_ADDRESS_CHARACTERS else url_for("sign_in.login"), 303)


def _needs(role: Role) -> str:
    return f"This needs the role {role}. Ask an administrator, who can give it to you."
