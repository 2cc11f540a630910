"""Saved filters: the menu beside the search box, their page, and the default filter of the list.

All people use them; operators save and delete them and choose the default.
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
from infra.query.list_arguments import ListArguments
from infra.saved_filters import MAX_NAME_CHARACTERS, SavedFilter, default_of
from infra.saved_filters.colouring import COLOURS, colour_problem
from web.access.monitored import subscription_argument
from web.access.roles import login_required, requires, signed_in_user
from web.filters.columns import columns_text, parse_columns
from web.filters.links import ListLinks
from web.filters.problems import Problem, problem_of
from web.http.confirmation import unanswered
from web.http.negotiation import MAX_ADDRESS_CHARACTERS
from web.http.notices import SAVED_FILTER_NOTICES, asked_notice
from web.services import services

# An address with one of these arguments says what the list shows, so the default filter does not apply.
_LIST_ARGUMENTS = frozenset({"q", "subscription", "columns", "before"})

blueprint = Blueprint("saved_filters", __name__)


@dataclass(frozen=True)
class SavedFiltersMenu:
    """All saved filters for the menu beside a list; ``current`` is the one that the list shows."""

    filters: tuple[SavedFilter, ...] = ()
    default: SavedFilter | None = None
    current: SavedFilter | None = None

    @property
    def shows_default(self) -> bool:
        """Tell whether the list shows the default filter."""
        return self.current is not None and self.current == self.default


@dataclass(frozen=True)
class SavedFilterForm:
    """The form as typed; ``columns`` is written as in an address."""

    name: str = ""
    q: str = ""
    subscription: str = ""
    columns: str = ""
    colour: str = ""


def saved_beside(arguments: ListArguments, filters: list[SavedFilter]) -> SavedFiltersMenu:
    """Return the menu for a page that shows ``arguments``."""
    default = default_of(filters)
    same = [saved for saved in filters if _shows_the_same(saved.arguments, arguments)]
    return SavedFiltersMenu(tuple(filters), default, default if default in same else next(iter(same), None))


def opening_address(arguments: Mapping[str, str], filters: list[SavedFilter]) -> str | None:
    """Return the default filter's address for a list without arguments; None otherwise, or without a default.

    An unusable default (edited in the console, or its subscription is gone) is ignored.
    """
    default = default_of(filters)
    if default is None or _LIST_ARGUMENTS & arguments.keys() or not _is_usable(default.arguments):
        return None
    address = ListLinks(default.arguments).to()
    notices = {name: arguments[name] for name in ("notice", "about") if name in arguments}
    return f"{address}&{urlencode(notices)}" if notices else address


@blueprint.get("/filters")
@login_required
def page() -> ResponseReturnValue:
    """Show all saved filters; ``?q=``, ``&subscription=`` and ``&columns=`` fill in the form."""
    return _page(_typed(request.args), notice=SAVED_FILTER_NOTICES.get(asked_notice(), ""))


@blueprint.post("/filters")
@requires("operator")
def save() -> ResponseReturnValue:
    """Save a filter: 303 to its list, or the form again with the error."""
    typed = _typed(request.form)
    try:
        arguments = ListArguments(typed.q, subscription_argument(typed.subscription), parse_columns([typed.columns]))
        _check_address(arguments)
        saved = services().saved_filters.save(typed.name, arguments, by=signed_in_user().name, colour=typed.colour)
    except QueryError as exc:
        return _page(typed, problem=problem_of(typed.q, exc), status=exc.status)
    except (InputError, DocumentExistsError) as exc:
        return _page(typed, sentence=exc.sentence(), status=exc.status)
    address = ListLinks(saved.arguments).to()
    return redirect(f"{address}{'&' if '?' in address else '?'}notice=saved", 303)


@blueprint.post("/filters/<document>/delete")
@requires("operator")
def delete(document: str) -> ResponseReturnValue:
    """Delete a filter, for all people."""
    name = next((saved.name for saved in services().saved_filters.all() if saved.id == document), "")
    if name and (question := unanswered("delete", name, url_for("saved_filters.page"))):
        return question
    services().saved_filters.delete(document, by=signed_in_user().name)
    return redirect(url_for("saved_filters.page", notice="deleted"), 303)


@blueprint.post("/filters/<document>/colour")
@requires("operator")
def choose_colour(document: str) -> ResponseReturnValue:
    """Set the form's ``colour`` of a filter; an empty one removes it."""
    services().saved_filters.set_colour(document, request.form.get("colour", ""), by=signed_in_user().name)
    return redirect(url_for("saved_filters.page", notice="colour"), 303)


@blueprint.post("/filters/default")
@requires("operator")
def choose_default() -> ResponseReturnValue:
    """Set the form's ``filter`` as the default of the list; an empty one clears the default."""
    chosen = request.form.get("filter", "")
    if not chosen:
        services().saved_filters.clear_default(by=signed_in_user().name)
        return redirect(url_for("saved_filters.page", notice="cleared"), 303)
    saved = next((saved for saved in services().saved_filters.all() if saved.id == chosen), None)
    if saved and not _is_usable(saved.arguments):
        raise InputError("filter", "cannot be the default: it has an error. Save it again without the error.")
    services().saved_filters.set_default(chosen, by=signed_in_user().name)
    return redirect(url_for("saved_filters.page", notice="default"), 303)


def _shows_the_same(saved: ListArguments, shown: ListArguments) -> bool:
    """Compare two views; other columns beside the same filter do not make a difference."""
    if not saved.query and not saved.subscription:
        return saved == shown
    return (saved.query, saved.subscription) == (shown.query, shown.subscription)


def _check_address(arguments: ListArguments) -> None:
    """Refuse an address that is too long for a request: such a default would make the list unreachable."""
    if len(ListLinks(arguments).to()) > MAX_ADDRESS_CHARACTERS:
        raise InputError("q", "is too long for an address. Characters beyond ASCII take six characters or more there.")


def _is_usable(arguments: ListArguments) -> bool:
    # A filter that was emptied in the console has the bare address, which would redirect to itself.
    if ListLinks(arguments).to() == ListLinks(ListArguments()).to():
        return False
    try:
        _check_address(arguments)
        parse(arguments.query, datetime.now(UTC))
        parse_columns([columns_text(arguments.columns)])
        subscription_argument(arguments.subscription)
    except InputError:
        return False
    return True


def _typed(given: MultiDict[str, str]) -> SavedFilterForm:
    return SavedFilterForm(
        given.get("name", ""),
        given.get("q", "").strip(),
        given.get("subscription", ""),
        ",".join(columns for columns in given.getlist("columns") if columns.strip()),
        given.get("colour", ""),
    )


def _page(
    typed: SavedFilterForm, *, problem: Problem | None = None, sentence: str = "", notice: str = "", status: int = 200
) -> Response:
    filters = services().saved_filters.all()
    default = default_of(filters)
    usable = {saved.id for saved in filters if _is_usable(saved.arguments)}
    body = render_template(
        "filters/saved.html",
        filters=filters,
        default=default,
        here=ListLinks(ListArguments(), default is not None),
        columns_text=columns_text,
        usable=usable,
        colourable={saved.id for saved in filters if saved.id in usable and not colour_problem(saved.arguments)},
        colours=COLOURS,
        typed=typed,
        problem=problem,
        sentence=sentence,
        notice=notice,
        subscriptions=services().settings.subscriptions,
        most_characters=MAX_NAME_CHARACTERS,
    )
    return make_response(body, status)
