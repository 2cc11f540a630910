"""Routes of the comparison of two messages. They only read."""

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from infra.errors import InputError
from infra.firestore.message_reader import Selection
from infra.firestore.search import SearchBounds
from infra.messages.compare.json_patch import NoPatchError, patch_text
from infra.query import parse
from web.access.readable_messages import readable_message, readers_mask
from web.access.roles import login_required
from web.compare import facts
from web.compare.contents import compare_payloads, existing, one_argument, two_messages, within_share
from web.compare.earlier import likenesses
from web.compare.rows import rows_of
from web.filters.request_filter import RequestFilter, find, read_before, read_filter

blueprint = Blueprint("compare", __name__)

_BOUNDS = SearchBounds(messages=1_000, seconds=1.5)
_CHOICES = 30


@blueprint.get("/compare")
@login_required
def page() -> ResponseReturnValue:
    """Show what differs between the messages ``?a=`` and ``?b=``: metadata, attributes, payload."""
    a, b = two_messages()
    with within_share(a, b) as goes_on:
        compared = compare_payloads(a, b, goes_on)
        mask = readers_mask()
        return render_template(
            "compare/compare.html",
            a=a,
            b=b,
            compared=compared,
            rows=rows_of(compared.found) if compared.found else None,
            attributes=facts.attributes(a, b, mask),
            metadata=facts.metadata(a, b, mask),
            mask=mask,
        )


@blueprint.get("/compare/patch")
@login_required
def patch() -> ResponseReturnValue:
    """Send the JSON Patch (RFC 6902) that turns the payload of ``?a=`` into that of ``?b=``; 409 when there is none."""
    a, b = two_messages()
    with within_share(a, b) as goes_on:
        compared = compare_payloads(a, b, goes_on)
        found = compared.found
        if found is None:
            abort(409, compared.trouble)
        if found.way != "equal" and found.of_json is None:
            abort(409, "The payloads are not both JSON objects or arrays of at most 1 MiB, so they have no JSON Patch.")
        try:
            text = patch_text(found.of_json.operations, found.of_json.a, found.of_json.b) if found.of_json else "[]\n"
        except NoPatchError as exc:
            abort(409, str(exc))
    response = Response(text, mimetype="application/json-patch+json")
    response.headers["Content-Disposition"] = f'attachment; filename="{a.id}-{b.id}.json"'
    return response


@blueprint.get("/compare/earlier")
@login_required
def earlier() -> ResponseReturnValue:
    """Redirect to the comparison of ``?b=`` with the message before it of the same ordering key or type (``?by=``).

    The search is bounded and goes on from ``?before=``; 404 with a link when it finds none.
    """
    b = existing(readable_message(one_argument("b")), "b")
    by = request.args.get("by", "")
    likeness = next((one for one in likenesses(b, readers_mask()) if one.by == by), None)
    if likeness is None:
        raise InputError("by", "must be key (for a message with an ordering key that you may see) or type.")
    before = read_before(request.args.get("before", "")) or b.cursor
    query = parse(likeness.filter, datetime.now(UTC))
    found = find(RequestFilter(likeness.filter, query, Selection(b.subscription), before), 1, _BOUNDS)
    if found.messages:
        return redirect(url_for("compare.page", a=found.messages[0].id, b=b.id), 302)
    return render_template("compare/none_earlier.html", b=b, likeness=likeness, older=found.older), 404


@blueprint.get("/compare/with")
@login_required
def choose() -> ResponseReturnValue:
    """Show messages to compare ``?a=`` with: of a filter ``?q=``, newest first, from ``?before=`` on."""
    a = existing(readable_message(one_argument("a")), "a")
    wanted = read_filter(request.args)
    found = find(wanted, _CHOICES)
    return render_template(
        "compare/choose.html",
        a=a,
        likenesses=likenesses(a, readers_mask()),
        q=wanted.text,
        messages=[one for one in found.messages if one.id != a.id],
        older=found.older,
    )
