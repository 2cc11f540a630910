"""Exact counts for the values of facets, and the page that groups messages by a field."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from infra.errors import BusyError, InputError, StoreError
from infra.firestore.search import BOUNDS
from infra.query import MAX_CHARACTERS, parse
from infra.query.counted import Countable
from infra.query.list_arguments import ListArguments
from web.access.monitored import subscription_argument
from web.access.roles import login_required, signed_in_user
from web.facets.groups import Group, Grouping, group_by
from web.facets.index_counts import MAX_TERMS, Counted
from web.facets.readable_count import readable_count
from web.facets.sample import Sample
from web.facets.terms import DERIVED, SEVERITY, joined, label_of, term_of
from web.filters.columns import MAX_NAME_CHARACTERS
from web.filters.links import ListLinks
from web.filters.request_filter import read_filter
from web.http.client_socket import leaving
from web.services import services

blueprint = Blueprint("facets", __name__)


@dataclass(frozen=True)
class GroupRow:
    """One row of the table: a group, its place in the list of messages, and its exact count if the index has one."""

    group: Group
    share: float
    href: str
    exclude_href: str
    kept: Counted | None


@blueprint.get("/facets/counts")
@login_required
def counts() -> ResponseReturnValue:
    """Count the messages of ``?q=`` and ``&subscription=`` for each ``&term=``, where the index answers.

    A term that the index cannot count has the count null.
    """
    terms = list(dict.fromkeys(request.args.getlist("term")))
    if len(terms) > MAX_TERMS:
        raise InputError("term", f"is given once for each value, at most {MAX_TERMS} times; found {len(terms)}.")
    q, subscription = request.args.get("q", "").strip(), subscription_argument(request.args.get("subscription", ""))
    found = index_counts(q, subscription, terms)
    return jsonify(
        counts=[
            {"term": term, "count": one.count if one else None, "is_at_least": bool(one and one.is_at_least)}
            for term, one in zip(terms, found, strict=True)
        ]
    )


def index_counts(q: str, subscription: str, terms: Sequence[str]) -> list[Counted | None]:
    """Return the exact count of each term within a filter; None where the index cannot count.

    Raises QueryError, StoreError, BusyError.
    """
    now = datetime.now(UTC)
    parse(q, now)
    wanted = [_countable(q, term, subscription, now) for term in terms]
    asked = [one for one in wanted if one]
    if not asked:
        return [None] * len(terms)
    with services().shares.search(signed_in_user().name, leaving(request.environ)):
        found = iter(services().index_counts.count(q, asked))
    return [next(found) if one else None for one in wanted]


def _countable(q: str, term: str, subscription: str, now: datetime) -> Countable | None:
    # All looks at the same filter share the count of a token, so a term must not have a time or a subscription.
    alone = readable_count(term, "", now)
    if alone is None or alone != Countable(tokens=alone.tokens) or not alone.tokens:
        return None
    return readable_count(joined(q, term), subscription, now)


@blueprint.get("/groups")
@login_required
def groups() -> ResponseReturnValue:
    """Show a sample of a filter, the newest messages, grouped by the field ``?by=``; without it, by severity."""
    by, number = _name("by") or SEVERITY, _name("number")
    wanted = read_filter(request.args)
    sample = Sample()
    grouping = group_by(sample.messages(wanted, BOUNDS), by, number)
    arguments = ListArguments(wanted.text, wanted.selection.subscription)
    return render_template(
        "facets/groups.html",
        by=by,
        label=label_of(by),
        number=number,
        list=arguments,
        grouping=grouping,
        rows=_rows(grouping, by, arguments),
        sample=sample,
        back=ListLinks(arguments).to(),
    )


def _rows(grouping: Grouping, by: str, arguments: ListArguments) -> list[GroupRow]:
    # Several values of one message are joined for the table: no term selects them.
    is_one = "*" not in by
    terms = [term_of(by, group.value) if group.value and is_one else "" for group in grouping.groups]
    asked = [term for term in terms if term][:MAX_TERMS]
    kept = dict(zip(asked, _kept(arguments, asked), strict=True))
    return [
        GroupRow(
            group,
            grouping.share(group),
            _link(arguments, term),
            _link(arguments, f"-{term}" if term else ""),
            kept.get(term),
        )
        for group, term in zip(grouping.groups, terms, strict=True)
    ]


def _link(arguments: ListArguments, term: str) -> str:
    """Return the list with one more term; empty without a term, or when its address would be too long."""
    q = joined(arguments.query, term)
    return ListLinks(arguments).to(q=q) if term and len(q) <= MAX_CHARACTERS else ""


def _kept(arguments: ListArguments, terms: list[str]) -> list[Counted | None]:
    if not terms:
        return []
    try:
        return index_counts(arguments.query, arguments.subscription, terms)
    except (StoreError, BusyError) as exc:
        services().log.warning("The groups cannot be counted.", reason=str(exc))
        return [None] * len(terms)


def _name(argument: str) -> str:
    name = request.args.get(argument, "").strip()
    if len(name) > MAX_NAME_CHARACTERS:
        raise InputError(argument, f"has at most {MAX_NAME_CHARACTERS} characters; found {len(name)}.")
    if name.startswith(":") and name not in DERIVED:
        raise InputError(argument, f"begins with a colon only in {', '.join(DERIVED)}.")
    return name
