"""Pages of history, newest first: the audit log for admins, refused pushes for operators. They only read."""

from collections.abc import Callable

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from infra.errors import InputError
from infra.history.pages import History, HistoryEntry, HistoryPage
from infra.messages.cursor import AUTO_ID, Cursor
from web.access.roles import requires
from web.services import services

PAGE_ROWS = 50

blueprint = Blueprint("history", __name__)


@blueprint.get("/audit")
@requires("admin")
def audit() -> ResponseReturnValue:
    """Show the audit log. ``?who=`` and ``?what=`` match parts of the user and the action; ``?before=`` is a cursor."""
    who, what = request.args.get("who", "").strip()[:100], request.args.get("what", "").strip()[:100]

    def is_wanted(entry: HistoryEntry) -> bool:
        return who.lower() in _text(entry, "who").lower() and what.lower() in _text(entry, "what").lower()

    page = _page("audit", is_wanted if who or what else _any)
    return render_template(
        "admin/audit.html", page=page, text=_text, who=who, what=what, before=request.args.get("before")
    )


@blueprint.get("/rejections")
@requires("operator")
def rejections() -> ResponseReturnValue:
    """Show the pushes that Google signed and the receiver refused."""
    return render_template(
        "admin/rejections.html",
        page=_page("rejections", _any),
        text=_text,
        claims=_claims,
        settings=services().settings,
        before=request.args.get("before"),
    )


def _page(collection: str, wanted: Callable[[HistoryEntry], bool]) -> HistoryPage:
    return History(services().database, collection).page(wanted, before=_before(), limit=PAGE_ROWS)


def _before() -> Cursor | None:
    text = request.args.get("before", "")
    if not text:
        return None
    try:
        return Cursor.parse(text, AUTO_ID)
    except ValueError as exc:
        raise InputError("before", f"{exc}. Start again from the newest.") from exc


def _any(_: HistoryEntry) -> bool:
    return True


def _text(entry: HistoryEntry, name: str) -> str:
    """Return one field as text; an edit in the console may have given it another type."""
    value = entry.fields.get(name, "")
    return value if isinstance(value, str) else repr(value)


def _claims(entry: HistoryEntry) -> list[tuple[str, str]]:
    claims = entry.fields.get("claims")
    return [(str(name), str(value)) for name, value in sorted(claims.items())] if isinstance(claims, dict) else []
