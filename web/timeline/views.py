"""The timeline above the list: it follows the filter, over a chosen span, in layers if wanted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from infra.errors import InputError
from infra.firestore.message_reader import Selection
from infra.firestore.search import BOUNDS
from infra.messages.message import MORE_TOKENS
from infra.query import Query, parse
from infra.query.counted import Countable
from infra.query.list_arguments import ListArguments
from infra.query.terms import After
from web.access.monitored import subscription_argument
from web.access.roles import login_required, signed_in_user
from web.facets.readable_count import readable_count
from web.facets.sample import Sample
from web.facets.terms import joined
from web.filters.columns import MAX_NAME_CHARACTERS, parse_columns
from web.filters.request_filter import RequestFilter
from web.http.client_socket import leaving
from web.services import services
from web.timeline.bucket_counts import Bucket, BucketCounts, Buckets
from web.timeline.drawing import Timeline, draw
from web.timeline.layers import Layer, layer_of, layers_of
from web.timeline.sample import sampled_buckets
from web.timeline.spans import HOUR, Span, spans_for

_WAIT_SECONDS = 2.0

blueprint = Blueprint("timeline", __name__)


@blueprint.get("/timeline")
@login_required
def fragment() -> ResponseReturnValue:
    """Return the timeline for ``?q=`` and ``&subscription=`` as a part of the page; a script loads it every minute.

    ``&span=`` is 1h, 24h, 7d or all. ``&stack=`` names a field; its ``&value=`` are the layers of the bars.
    """
    now, spans = datetime.now(UTC), spans_for(services().settings.retention_days)
    query = parse(request.args.get("q", ""), now)
    subscription = subscription_argument(request.args.get("subscription", ""))
    view = ListArguments(subscription=subscription, columns=parse_columns(request.args.getlist("columns")))
    key = request.args.get("span", "")
    span = spans.get(key, next(iter(spans.values())))
    stack = request.args.get("stack", "")
    if len(stack) > MAX_NAME_CHARACTERS:
        raise InputError("stack", f"has at most {MAX_NAME_CHARACTERS} characters; found {len(stack)}.")
    layers = layers_of(stack, request.args.getlist("value"))
    with services().shares.search(signed_in_user().name, leaving(request.environ)):
        shown = _counted(query, view, span, stack, layers, now, _WAIT_SECONDS)
    shown = shown or _sample(query, view, span, stack, layers, now)
    return render_template("messages/_timeline.html", timeline=shown, spans=spans.values())


def timeline(query: Query, view: ListArguments) -> Timeline:
    """Return the last hour of a filter in one monitored subscription or in all, as far as it is counted.

    A filter that the index cannot count has no bars yet: its sample costs a search, and the page's script asks for it.
    """
    now = datetime.now(UTC)
    shown = _counted(query, view, HOUR, "", (), now, 0.0)
    if shown:
        return shown
    uncounted = draw(Buckets(tuple(Bucket(at, None) for at in HOUR.starts(now)), ()), query, view, now)
    return replace(uncounted, is_pending=False, is_unsampled=True)


def _counted(
    query: Query,
    view: ListArguments,
    span: Span,
    stack: str,
    layers: Sequence[Layer],
    now: datetime,
    wait_seconds: float,
) -> Timeline | None:
    """Draw counts of the index; None when it cannot count the filter, or one of the layers."""
    counted = readable_count(query.timeless, view.subscription, now)
    parts = [readable_count(joined(query.timeless, layer.term(stack)), view.subscription, now) for layer in layers]
    if not counted or not all(parts):
        return None
    timelines = services().timelines
    # The layers first: they are refreshed while this request waits for the whole.
    beside = [timelines.of(part, span, with_pauses=False) for part in parts if part]
    for counts in beside:
        counts.until(now)
    whole = timelines.of(counted, span).until(now, wait_seconds)
    drawn, inner = [], None
    for layer, counts in zip(layers, beside, strict=True):
        outer = counts.until(now)
        drawn.append((layer, outer.without(inner) if inner and layer.counted_by else outer))
        inner = outer
    unseen = _unseen(counted, span).until(now) if counted.tokens else None
    return draw(whole, query, view, now, span=span, stack=stack, layers=drawn, unseen=unseen)


def _unseen(counted: Countable, span: Span) -> BucketCounts:
    """Return the counts of messages with more fields than the index holds: they may match unseen."""
    more = Countable(counted.subscription, (MORE_TOKENS,))
    return services().timelines.of(more, span, with_pauses=False)


def _sample(
    query: Query, view: ListArguments, span: Span, stack: str, layers: Sequence[Layer], now: datetime
) -> Timeline:
    """Draw the newest matches, as many as one search finds within the span."""
    timeless = parse(query.timeless, now)
    start = span.starts(now)[0]
    within = Query((*timeless.terms, After(start)), (*timeless.sources, f"after:{start:%Y-%m-%dT%H:%M:%SZ}"))
    wanted = RequestFilter(query.timeless, within, Selection(view.subscription), None)
    sample = Sample()
    matches = sample.messages(wanted, BOUNDS)
    found = sampled_buckets(matches, span, now, layers, layer_of(layers, stack), lambda: sample.searched_to)
    return draw(found.counted, query, view, now, span=span, stack=stack, layers=found.layers, sampled=found.sampled)
