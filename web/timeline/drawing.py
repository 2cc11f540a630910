"""The positions, colours and links of a timeline's bars. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from infra.query import Query
from infra.query.list_arguments import ListArguments
from web.facets.index_counts import MAX_COUNTED
from web.filters.links import ListLinks
from web.timeline.bucket_counts import Bucket, Buckets
from web.timeline.layers import Layer
from web.timeline.spans import HOUR, Span

HEIGHT = 100
_MIN_HEIGHT = 4
_MIN_PART = 6
_UNCOUNTED_NORMALLY = 3


@dataclass(frozen=True)
class Bar:
    """The bar of a bucket, or one layer of it, from ``y`` down, in hundredths. Layers count from 1; 0 is the whole."""

    x: int
    y: float
    height: float
    is_chosen: bool
    layer: int = 0


@dataclass(frozen=True)
class Link:
    """A link to the messages of one or more buckets."""

    x: int
    width: int
    since: datetime
    until: datetime
    count: int | None
    is_cut: bool
    href: str


@dataclass(frozen=True)
class PauseMark:
    """A pause of delivery in the timeline: from ``x``, ``width`` buckets wide."""

    subscription: str
    since: datetime
    until: datetime
    x: float
    width: float


@dataclass(frozen=True)
class Sampled:
    """A sample: the number of matches, and how far back was searched; None for the whole span."""

    matches: int
    searched_to: datetime | None


@dataclass(frozen=True)
class Timeline:
    """The values that the template shows."""

    span: Span
    since: datetime
    now: datetime
    is_pending: bool
    is_counting: bool
    total: int
    is_cut: bool
    peak: Bucket
    bars: tuple[Bar, ...]
    links: dict[int, tuple[Link, ...]]
    stops: tuple[PauseMark, ...]
    timeless: str
    stack: str = ""
    # The total of each layer; None until all its buckets are counted.
    layers: tuple[tuple[Layer, int | None], ...] = ()
    is_at_least: bool = False
    sampled: Sampled | None = None
    # The index cannot count the filter, and no sample was read yet.
    is_unsampled: bool = False

    @property
    def last_stop(self) -> PauseMark | None:
        """The last pause, the only one described in words: those of all would push the list down."""
        return max(self.stops, key=lambda stop: (stop.until, stop.since), default=None)


def draw(
    counted: Buckets,
    query: Query,
    view: ListArguments,
    now: datetime,
    *,
    span: Span = HOUR,
    stack: str = "",
    layers: Sequence[tuple[Layer, Buckets]] = (),
    sampled: Sampled | None = None,
    unseen: Buckets | None = None,
) -> Timeline:
    """Compute positions and links of a span; links keep the rest of the filter.

    ``unseen`` counts the messages that may match although the index does not show it.
    """
    counts = [bucket.count or 0 for bucket in counted.buckets]
    all_counted = [counted, *(buckets for _, buckets in layers), *([unseen] if unseen else [])]
    return Timeline(
        span=span,
        since=counted.buckets[0].at,
        now=now,
        is_pending=sampled is None and any(one.uncounted or one.is_refreshing for one in all_counted),
        # The newest buckets are always counted a moment later.
        is_counting=sampled is None and counted.uncounted > _UNCOUNTED_NORMALLY,
        total=sum(counts),
        is_cut=max(counts) >= MAX_COUNTED,
        peak=max(counted.buckets, key=lambda bucket: bucket.count or 0),
        bars=tuple(_bars(counted, query, span, [buckets for _, buckets in layers])),
        links={step: tuple(_links(counted, span, step, query.timeless, view)) for step in sorted({1, span.wide_step})},
        stops=tuple(_stops(counted, span, now)),
        timeless=query.timeless,
        stack=stack,
        layers=tuple((layer, _total(buckets, sampled)) for layer, buckets in layers),
        is_at_least=unseen is not None and any(bucket.count for bucket in unseen.buckets),
        sampled=sampled,
    )


def _total(buckets: Buckets, sampled: Sampled | None) -> int | None:
    if buckets.uncounted > _UNCOUNTED_NORMALLY and not sampled:
        return None
    return sum(one.count or 0 for one in buckets.buckets)


def _bars(counted: Buckets, query: Query, span: Span, layers: Sequence[Buckets]) -> Iterator[Bar]:
    largest = max(bucket.count or 0 for bucket in counted.buckets)
    for x, bucket in enumerate(counted.buckets):
        if not bucket.count:
            continue
        whole = float(max(_MIN_HEIGHT, HEIGHT * bucket.count // largest))
        is_chosen = _is_chosen(query, bucket.at, span)
        y = HEIGHT - whole
        yield Bar(x, y, whole, is_chosen)
        for number, buckets in enumerate(layers, 1):
            count = buckets.buckets[x].count
            if count:
                # A few failures among thousands of messages must be seen. Counts of layers are read a moment apart:
                # together they may exceed the whole bar.
                part = min(HEIGHT - y, max(_MIN_PART, whole * count / bucket.count))
                yield Bar(x, round(y, 2), round(part, 2), is_chosen, number)
                y += part


def _is_chosen(query: Query, at: datetime, span: Span) -> bool:
    after, before = query.after, query.before
    return (after is None or at + span.length > after) and (before is None or at < before)


def _links(counted: Buckets, span: Span, step: int, timeless: str, view: ListArguments) -> Iterator[Link]:
    for x in range(0, span.number, step):
        buckets = counted.buckets[x : x + step]
        since, until = buckets[0].at, buckets[-1].at + span.length
        q = f"{timeless} after:{since:%Y-%m-%dT%H:%MZ} before:{until:%Y-%m-%dT%H:%MZ}".strip()
        counts = [bucket.count for bucket in buckets if bucket.count is not None]
        is_cut = any(count >= MAX_COUNTED for count in counts)
        count = sum(counts) if counts else None
        yield Link(x, len(buckets), since, until, count, is_cut, ListLinks(view).to(q=q))


def _stops(counted: Buckets, span: Span, now: datetime) -> Iterator[PauseMark]:
    start = counted.buckets[0].at
    for pause in counted.pauses:
        since, until = max(pause.since, start), min(pause.until, now)
        if until > since:
            x, width = (since - start) / span.length, (until - since) / span.length
            yield PauseMark(pause.subscription, since, until, round(x, 2), round(max(width, 0.2), 2))
