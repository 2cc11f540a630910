"""Saved filters: a menu beside the search box, a page of its own, and the one that the list opens with.

Everybody uses them; operators save, delete and choose the default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from infra.errors import DocumentExistsError, InputError
from infra.query import QueryError, parse
from infra.saved_filters import MAX_NAME_CHARACTERS, ListArguments, SavedFilter, default_of
from web.access.roles import login_required, requires, signed_in_user
from web.filters.columns import columns_text, parse_columns
from web.filters.links import Here
from web.filters.problems import Problem, problem_of
from web.filters.request_filter import monitored
from web.http.confirmation import unanswered
from web.http.negotiation import MAX_ADDRESS_CHARACTERS
from web.http.notices import add_list_notices, asked_notice
from web.services import services

# Whoever names one of these has said what the list should show.
_SAYS_WHAT = frozenset({"q", "subscription", "columns", "before"})
_NOTICES = {
    "deleted": "The filter is deleted, for everyone.",
    "default": "The list opens with this filter now, for everyone.",
    "cleared": "The list opens with everything now, for everyone.",
}

blueprint = Blueprint("saved_filters", __name__)
add_list_notices(blueprint, {"saved": "The filter is saved, for everyone."})


@dataclass(frozen=True)
class Saved:
    """All saved filters beside a list; ``current`` is the one that the list shows."""

    filters: tuple[SavedFilter, ...] = ()
    default: SavedFilter | None = None
    current: SavedFilter | None = None

    @property
    def shows_default(self) -> bool:
        """Whether the list shows what it opens with."""
        return self.current is not None and self.current == self.default


@dataclass(frozen=True)
class Typed:
    """The form as typed; ``columns`` as in an address."""

    name: str = ""
    q: str = ""
    subscription: str = ""
    columns: str = ""


def saved_beside(view: ListArguments, filters: list[SavedFilter]) -> Saved:
    """The saved filters for a page that shows ``view``."""
    default = default_of(filters)
    same = [one for one in filters if _shows_the_same(one.view, view)]
    return Saved(tuple(filters), default, default if default in same else next(iter(same), None))


def opening_address(arguments: Mapping[str, str], filters: list[SavedFilter]) -> str | None:
    """Where a list without any wish leads: the default filter's address; None when there is none, or a wish.

    A default that cannot be used any more (edited in the console, its subscription gone) opens everything.
    """
    default = default_of(filters)
    if default is None or _SAYS_WHAT & arguments.keys() or not _is_usable(default.view):
        return None
    address = Here(default.view).to()
    notices = {name: arguments[name] for name in ("notice", "about") if name in arguments}
    return f"{address}&{urlencode(notices)}" if notices else address


@blueprint.get("/filters")
@login_required
def page() -> ResponseReturnValue:
    """All of them; ``?q=``, ``&subscription=`` and ``&columns=`` fill in the form."""
    return _page(_typed(request.args), notice=_NOTICES.get(asked_notice(), ""))


@blueprint.post("/filters")
@requires("operator")
def save() -> ResponseReturnValue:
    """Save one: 303 to its list, or the form again with what is wrong."""
    typed = _typed(request.form)
    try:
        view = ListArguments(typed.q, monitored(typed.subscription), parse_columns([typed.columns]))
        _check_address(view)
        saved = services().saved_filters.save(typed.name, view, by=signed_in_user().name)
    except QueryError as exc:
        return _page(typed, problem=problem_of(typed.q, exc), status=exc.status)
    except (InputError, DocumentExistsError) as exc:
        return _page(typed, sentence=exc.sentence(), status=exc.status)
    address = Here(saved.view).to()
    return redirect(f"{address}{'&' if '?' in address else '?'}notice=saved", 303)


@blueprint.post("/filters/<document>/delete")
@requires("operator")
def delete(document: str) -> ResponseReturnValue:
    """Delete one, for everyone."""
    name = next((one.name for one in services().saved_filters.all() if one.id == document), "")
    if name and (question := unanswered("delete", name, url_for("saved_filters.page"))):
        return question
    services().saved_filters.delete(document, by=signed_in_user().name)
    return redirect(url_for("saved_filters.page", notice="deleted"), 303)


@blueprint.post("/filters/default")
@requires("operator")
def choose_default() -> ResponseReturnValue:
    """Let the list open with the ``filter`` of the form; an empty one means everything."""
    chosen = request.form.get("filter", "")
    if not chosen:
        services().saved_filters.clear_default(by=signed_in_user().name)
        return redirect(url_for("saved_filters.page", notice="cleared"), 303)
    found = next((one for one in services().saved_filters.all() if one.id == chosen), None)
    if found and not _is_usable(found.view):
        raise InputError("filter", "cannot be used as it is, so no list can open with it.")
    services().saved_filters.set_default(chosen, by=signed_in_user().name)
    return redirect(url_for("saved_filters.page", notice="default"), 303)


def _shows_the_same(saved: ListArguments, shown: ListArguments) -> bool:
    """Columns chosen beside a filter make no other filter of it."""
    if not saved.query and not saved.subscription:
        return saved == shown
    return (saved.query, saved.subscription) == (shown.query, shown.subscription)


def _check_address(view: ListArguments) -> None:
    """Refuse what no browser could ask for: a list that opens with it would never open."""
    if len(Here(view).to()) > MAX_ADDRESS_CHARACTERS:
        raise InputError("q", "is too long for an address, where characters beyond ASCII count six times and more.")


def _is_usable(view: ListArguments) -> bool:
    # Somebody may empty one in the console: its address is the bare one, which would lead to itself.
    if Here(view).to() == Here(ListArguments()).to():
        return False
    try:
        _check_address(view)
        parse(view.query, datetime.now(UTC))
        parse_columns([columns_text(view.columns)])
        monitored(view.subscription)
    except InputError:
        return False
    return True


def _typed(given: MultiDict[str, str]) -> Typed:
    return Typed(
        given.get("name", ""),
        given.get("q", "").strip(),
        given.get("subscription", ""),
        ",".join(one for one in given.getlist("columns") if one.strip()),
    )


def _page(
    typed: Typed, *, problem: Problem | None = None, sentence: str = "", notice: str = "", status: int = 200
) -> Response:
    filters = services().saved_filters.all()
    default = default_of(filters)
    body = render_template(
        "filters/saved.html",
        filters=filters,
        default=default,
        here=Here(ListArguments(), default is not None),
        columns_text=columns_text,
        usable={one.id for one in filters if _is_usable(one.view)},
        typed=typed,
        problem=problem,
        sentence=sentence,
        notice=notice,
        subscriptions=services().settings.subscriptions,
        most_characters=MAX_NAME_CHARACTERS,
    )
    return make_response(body, status)
