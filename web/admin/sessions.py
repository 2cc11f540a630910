"""The newest sign-ins, for admins, who can end each of them."""

import re

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from infra.accounts.session_store import MAX_LISTED
from infra.errors import DocumentNotFoundError, InputError
from web.access.roles import requires, signed_in_user
from web.access.sign_in import has_passwords
from web.http.confirmation import unanswered
from web.http.notices import SESSION_NOTICES, asked_notice
from web.http.session_cookie import session_cookie
from web.services import services

_SESSION_ID = re.compile(r"[0-9a-f]{64}")

blueprint = Blueprint("sessions", __name__)


@blueprint.get("/sessions")
@requires("admin")
def page() -> ResponseReturnValue:
    """Show the newest sign-ins that have not ended."""
    current = services().sessions.resolve(session_cookie(request)) if has_passwords() else None
    return render_template(
        "admin/sessions.html",
        sessions=services().sessions.newest(),
        most=MAX_LISTED,
        current=current.session.id if current else "",
        notice=SESSION_NOTICES.get(asked_notice(), ""),
    )


@blueprint.post("/sessions/end")
@requires("admin")
def end() -> ResponseReturnValue:
    """End one sign-in on the server."""
    session_id = request.form.get("session", "")
    if not _SESSION_ID.fullmatch(session_id):
        raise InputError("session", "is not a session of this list.")
    session = services().sessions.get(session_id)
    if session is None:
        raise DocumentNotFoundError("That sign-in has ended already.")
    if question := unanswered("end", session.user, url_for("sessions.page")):
        return question
    services().audit.record(signed_in_user().name, "session.end", f"sessions/{session_id[:8]}", f"of {session.user}")
    services().sessions.end_by_id(session_id)
    return redirect(url_for("sessions.page", notice="ended"), 303)
