"""Signing in and out, and changing one's own password. Roles are ``web.access.roles``."""

import re
from urllib.parse import quote

from flask import Blueprint, abort, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from infra.accounts.lock_policy import LockedError
from infra.accounts.user import User
from infra.accounts.user_store import SignInError
from infra.errors import BusyError, InputError
from web.access.iap import SIGN_OUT_PATH
from web.access.roles import login_required, public, requires, signed_in_user
from web.http.errors import retry_after
from web.http.notices import add_list_notices, asked_notice
from web.http.session_cookie import NEEDS_HTTPS, cookie_name, replace_cookie, session_cookie
from web.services import services

# Our own addresses: "//host", "/\host" or a control character cannot be written in it (T18). In the query whatever a
# browser or a script leaves as it is, such as the * of a filter.
_PAGES = "messages|password|publish|publish/sent|republish|rejections|users|sessions|audit|filters|help"
_NEXT = re.compile(rf"/(messages/[0-9a-f]{{32}}|{_PAGES})(\?[!$-;=?-\[\]-~]*)?")

blueprint = Blueprint("sign_in", __name__)
add_list_notices(blueprint, {"password": "Your password is changed. All your other sign-ins have ended."})


@blueprint.get("/login")
@public
def login() -> ResponseReturnValue:
    """The sign-in page."""
    if not has_passwords():
        return redirect(url_for("messages.index"), 303)
    return _login_page("" if cookie_name(request) else NEEDS_HTTPS, 200 if cookie_name(request) else 400)


@blueprint.post("/login")
@public
def sign_in() -> ResponseReturnValue:
    """Sign in; the cookie is a new one, whatever was held before (T16)."""
    _need_passwords()
    name = request.form.get("username", "").strip().lower()
    services().first_admin.ensure()
    try:
        user = services().users.authenticate(name, request.form.get("password", ""), address=_address())
    except (SignInError, LockedError, BusyError) as exc:
        # The name is a stranger's text: it may be a password typed into the wrong field, so it is not logged.
        services().log.warning("sign-in refused", status=exc.status, remote=request.remote_addr)
        response = _login_page(str(exc), exc.status)
        response.headers.update(retry_after(exc))
        return response
    services().log.info("signed in", who=user.name)
    return _begin_session(user, safe_next(request.form.get("next", "")))


@blueprint.post("/logout")
@requires("viewer")
def logout() -> ResponseReturnValue:
    """End this session on the server and forget the cookie."""
    if not has_passwords():
        return redirect(SIGN_OUT_PATH, 303)
    services().sessions.end(session_cookie(request))
    response = redirect(url_for("sign_in.login", notice="out"), 303)
    replace_cookie(response, "")
    return response


@blueprint.get("/session")
@login_required
def whoami() -> ResponseReturnValue:
    """Who is signed in: how a page learns why its stream ended."""
    return jsonify(user=signed_in_user().name, role=signed_in_user().role)


@blueprint.get("/password")
@login_required
def password() -> ResponseReturnValue:
    """The page to change one's own password."""
    _need_passwords()
    return render_template("access/password.html", problem="")


@blueprint.post("/password")
@login_required
def change_password() -> ResponseReturnValue:
    """Change one's own password, given the current one; every other sign-in ends."""
    _need_passwords()
    new, name = request.form.get("new", ""), signed_in_user().name
    try:
        if new != request.form.get("again", ""):
            raise InputError("password", "the two new passwords differ.")
        user = services().users.change_password(name, request.form.get("current", ""), new, address=_address())
    except (InputError, SignInError, LockedError) as exc:
        said = "The current password is wrong." if isinstance(exc, SignInError) else f"The new {exc}"
        problem = str(exc) if isinstance(exc, LockedError) else said
        # 400, not 401: the person is signed in, only the form is wrong.
        return render_template("access/password.html", problem=problem), 429 if isinstance(exc, LockedError) else 400
    services().log.info("password changed", who=name)
    return _begin_session(user, url_for("messages.index", notice="password"))


def has_passwords() -> bool:
    """Whether people sign in here, and not at Identity-Aware Proxy."""
    return services().settings.auth_mode == "password"


def _need_passwords() -> None:
    if not has_passwords():
        abort(404, "There are no passwords here: Identity-Aware Proxy signs people in.")


def safe_next(text: str) -> str:
    """``text`` when it is one of our own pages; the list otherwise."""
    return text if _NEXT.fullmatch(text) else "/messages"


def _address() -> str:
    """Whose request it is: behind Google's front end the address it saw (``web.create_app``)."""
    return request.remote_addr or ""


def _begin_session(user: User, target: str) -> Response:
    services().sessions.end(session_cookie(request))
    response = redirect(quote(target, safe="/?=&%:+~.-_"), 303)
    replace_cookie(response, services().sessions.create(user))
    return response


def _login_page(problem: str = "", status: int = 200) -> Response:
    wanted = request.values.get("next", "")
    body = render_template(
        "access/login.html",
        problem=problem,
        next=wanted if _NEXT.fullmatch(wanted) else "",
        name=request.form.get("username", "")[:100],
        out=asked_notice() == "out",
    )
    return make_response(body, status)
