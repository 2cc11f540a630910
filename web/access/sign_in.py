"""Sign in and out, and change one's own password. Roles: ``web.access.roles``."""

import re
from urllib.parse import quote

from flask import Blueprint, abort, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from infra.accounts.lock_policy import LockedError
from infra.accounts.sign_in import SignInError
from infra.accounts.user import User
from infra.errors import BusyError, InputError
from web.access.iap import SIGN_OUT_PATH
from web.access.roles import login_required, public, requires, signed_in_user
from web.http.errors import retry_after
from web.http.notices import asked_notice
from web.http.session_cookie import NEEDS_HTTPS, cookie_name, replace_cookie, session_cookie
from web.services import services

# Addresses of our pages; "//host", "/\host" and control characters do not match (T18). The query may have all
# characters that browsers and scripts leave unescaped, such as the * of a filter.
_PAGES = "messages|password|publish|publish/sent|republish|rejections|users|sessions|audit|filters|help"
_NEXT = re.compile(rf"/(messages/[0-9a-f]{{32}}|{_PAGES})(\?[!$-;=?-\[\]-~]*)?")

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/login")
@public
def login() -> ResponseReturnValue:
    """Show the sign-in page."""
    if not has_passwords():
        return redirect(url_for("messages.index"), 303)
    return _login_page("" if cookie_name(request) else NEEDS_HTTPS, 200 if cookie_name(request) else 400)


@blueprint.post("/login")
@public
def sign_in() -> ResponseReturnValue:
    """Sign in. The session always gets a new cookie, so that one planted before is worth nothing (T16)."""
    require_passwords()
    name = request.form.get("username", "").strip().lower()
    services().first_admin.ensure()
    try:
        user = services().users.authenticate(name, request.form.get("password", ""), address=_address())
    except (SignInError, LockedError, BusyError) as exc:
        # The name is not logged: it may be a password that was typed into the wrong field.
        services().log.warning("A sign-in was refused.", status=exc.status, remote=request.remote_addr)
        response = _login_page(str(exc), exc.status)
        response.headers.update(retry_after(exc))
        return response
    services().log.info("A user signed in.", who=user.name)
    return _begin_session(user, safe_next(request.form.get("next", "")))


@blueprint.post("/logout")
@requires("viewer")
def logout() -> ResponseReturnValue:
    """End this session on the server and delete the cookie."""
    if not has_passwords():
        return redirect(SIGN_OUT_PATH, 303)
    _end_session()
    response = redirect(url_for("sign_in.login", notice="out"), 303)
    replace_cookie(response, "")
    return response


@blueprint.get("/session")
@login_required
def whoami() -> ResponseReturnValue:
    """Return the signed-in user: a page asks for it when its stream ended, to learn the reason."""
    return jsonify(user=signed_in_user().name, role=signed_in_user().role)


@blueprint.get("/password")
@login_required
def password() -> ResponseReturnValue:
    """Show the form that changes one's own password."""
    require_passwords()
    return _password_page()


@blueprint.post("/password")
@login_required
def change_password() -> ResponseReturnValue:
    """Change one's own password, given the current one; all other sign-ins of the user end."""
    require_passwords()
    new, name = request.form.get("new", ""), signed_in_user().name
    try:
        if new != request.form.get("again", ""):
            raise InputError("password", "the two new passwords differ.")
        user = services().users.change_password(name, request.form.get("current", ""), new, address=_address())
    except LockedError as exc:
        return _password_page(str(exc), exc.status)
    except SignInError:
        # 400, not 401: the user is signed in, only the form is wrong.
        return _password_page("The current password is wrong.", 400)
    except InputError as exc:
        return _password_page(f"The new {exc}", 400)
    services().log.info("A user changed a password.", who=name)
    return _begin_session(user, url_for("messages.index", notice="password"))


def has_passwords() -> bool:
    """Tell whether users sign in here with passwords, and not at Identity-Aware Proxy."""
    return services().settings.auth_mode == "password"


def require_passwords() -> None:
    """Refuse with 404 if Identity-Aware Proxy signs users in."""
    if not has_passwords():
        abort(404, "There are no passwords here: Identity-Aware Proxy signs people in.")


def safe_next(text: str) -> str:
    """Return ``text`` if it is the address of one of our pages, otherwise the list's."""
    return text if _NEXT.fullmatch(text) else "/messages"


def _address() -> str:
    """Return the client's address; behind Google's front end the one that it saw (``web.create_app``)."""
    return request.remote_addr or ""


def _end_session() -> None:
    cookie = session_cookie(request)
    services().sessions.end(cookie)
    services().connections.end_session(cookie)


def _begin_session(user: User, target: str) -> Response:
    _end_session()
    response = redirect(quote(target, safe="/?=&%:+~.-_"), 303)
    replace_cookie(response, services().sessions.create(user))
    return response


def _password_page(problem: str = "", status: int = 200) -> Response:
    return make_response(render_template("access/password.html", problem=problem), status)


def _login_page(problem: str = "", status: int = 200) -> Response:
    target = request.values.get("next", "")
    body = render_template(
        "access/login.html",
        problem=problem,
        next=target if _NEXT.fullmatch(target) else "",
        name=request.form.get("username", "")[:100],
        out=asked_notice() == "out",
    )
    return make_response(body, status)
