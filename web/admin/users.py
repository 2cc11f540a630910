"""The users, for admins: add, change the role, set a new password, remove. Their sign-ins: ``web.admin.sessions``."""

import re

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from infra.accounts.passwords import generated_password
from infra.accounts.user import ROLES, Role
from infra.errors import DocumentExistsError, DocumentNotFoundError, InputError
from web.access.roles import requires, signed_in_user
from web.access.sign_in import has_passwords, require_passwords
from web.http.confirmation import unanswered
from web.http.notices import USER_NOTICES, asked_notice
from web.services import services

_PROBLEMS = (InputError, DocumentExistsError, DocumentNotFoundError)

blueprint = Blueprint("users", __name__)


@blueprint.get("/users")
@requires("admin")
def page() -> ResponseReturnValue:
    """Show all users."""
    return _users_page(notice=_notice())


@blueprint.post("/users")
@requires("admin")
def add() -> ResponseReturnValue:
    """Add a user. If the password is left empty, a random one is created and shown once."""
    name = request.form.get("name", "").strip().lower()
    chosen = request.form.get("password", "") if has_passwords() else ""
    password = chosen or generated_password(name)
    try:
        services().users.add(name, password, _role(), by=signed_in_user().name)
    except _PROBLEMS as exc:
        return _users_page(problem=exc.sentence(), typed=name, status=exc.status)
    # No redirect: a random password must not be in an address or in storage, so this answer alone shows it.
    shown = "" if chosen or not has_passwords() else password
    return _users_page(notice=f"{name} is added.", shown=shown, about=name)


@blueprint.post("/users/<name>/role")
@requires("admin")
def change_role(name: str) -> ResponseReturnValue:
    """Change the role of a user; all sign-ins of this user end."""
    try:
        services().users.set_role(name, _role(), by=signed_in_user().name)
    except _PROBLEMS as exc:
        return _users_page(problem=exc.sentence(), status=exc.status)
    return redirect(url_for("users.page", notice="role", name=name), 303)


@blueprint.post("/users/<name>/password")
@requires("admin")
def reset_password(name: str) -> ResponseReturnValue:
    """Set a random password and show it once; all sign-ins of this user end."""
    require_passwords()
    if question := unanswered("password", name, url_for("users.page")):
        return question
    password = generated_password(name)
    try:
        services().users.set_password(name, password, by=signed_in_user().name)
    except _PROBLEMS as exc:
        return _users_page(problem=exc.sentence(), status=exc.status)
    return _users_page(notice=f"{name} has a new password and is signed out everywhere.", shown=password, about=name)


@blueprint.post("/users/<name>/remove")
@requires("admin")
def remove(name: str) -> ResponseReturnValue:
    """Remove a user; all sign-ins of this user end."""
    if question := unanswered("remove", name, url_for("users.page")):
        return question
    try:
        services().users.remove(name, by=signed_in_user().name)
    except _PROBLEMS as exc:
        return _users_page(problem=exc.sentence(), status=exc.status)
    return redirect(url_for("users.page", notice="removed", name=name), 303)


def _role() -> Role:
    role = request.form.get("role", "")
    if role not in ROLES:
        raise InputError("role", f"is one of {', '.join(ROLES)}; found {role[:40]!r}.")
    return role


def _notice() -> str:
    """Return the sentence of the notice that the address names; empty if there is none, or the name is malformed."""
    sentence = USER_NOTICES.get(asked_notice(), "")
    name = request.args.get("name", "")
    if "{name}" in sentence and not re.fullmatch(r"[a-z0-9][a-z0-9._@+-]{0,99}", name):
        return ""
    return sentence.format(name=name)


def _users_page(
    *, notice: str = "", problem: str = "", typed: str = "", shown: str = "", about: str = "", status: int = 200
) -> Response:
    body = render_template(
        "admin/users.html",
        people=services().users.all(),
        roles=ROLES,
        notice=notice,
        problem=problem,
        typed=typed,
        shown=shown,
        about=about,
    )
    return make_response(body, status)
