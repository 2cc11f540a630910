"""The timeline above the list: a bar for each minute of the last hour, with a link that filters the list to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from infra.query import Query, parse
from infra.query.list_arguments import ListArguments
from web.access.monitored import subscription_argument
from web.access.roles import login_required
from web.filters.columns import parse_columns
from web.filters.links import ListLinks
from web.services import services
from web.timeline.minute_counts import MAX_COUNTED, MINUTES, Hour, Minute

HEIGHT = 100
_MIN_HEIGHT = 4
_WAIT_SECONDS = 2.0
_UNCOUNTED_NORMALLY = 3
# A touch screen needs wider links: a minute is too narrow for a finger.
_STEPS = (1, 5)

blueprint = Blueprint("timeline", __name__)


@dataclass(frozen=True)
class Bar:
    """The bar of one minute: ``x`` from 0 to 59, ``height`` from 0 to 100."""

    x: int
    height: int
    is_chosen: bool


@dataclass(frozen=True)
class Span:
    """A link to the messages of one or more minutes."""

    x: int
    width: int
    since: datetime
    until: datetime
    count: int | None
    is_cut: bool
    href: str


@dataclass(frozen=True)
class PauseMark:
    """A pause of delivery in the timeline: from ``x``, ``width`` minutes wide."""

    subscription: str
    since: datetime
    until: datetime
    x: float
    width: float


@dataclass(frozen=True)
class Timeline:
    """The values that the template shows."""

    since: datetime
    now: datetime
    is_pending: bool
    is_counting: bool
    total: int
    is_cut: bool
    peak: Minute
    bars: tuple[Bar, ...]
    spans: dict[int, tuple[Span, ...]]
    stops: tuple[PauseMark, ...]
    timeless: str

    @property
    def last_stop(self) -> PauseMark | None:
        """The last pause, the only one described in words: those of all would push the list down."""
        return max(self.stops, key=lambda stop: (stop.until, stop.since), default=None)


@blueprint.get("/timeline")
@login_required
def fragment() -> ResponseReturnValue:
    """Return the timeline for ``?q=`` and ``&subscription=`` as a part of the page; a script loads it every minute."""
    subscription = request.args.get("subscription", "")
    query = parse(request.args.get("q", ""), datetime.now(UTC))
    view = ListArguments(subscription=subscription, columns=parse_columns(request.args.getlist("columns")))
    shown = timeline(query, view, wait_seconds=_WAIT_SECONDS)
    return render_template("messages/_timeline.html", timeline=shown)


def timeline(query: Query, view: ListArguments, wait_seconds: float = 0.0) -> Timeline:
    """Return the last hour of one monitored subscription or of all. Raises InputError for any other.

    Links keep the subscription and the columns.
    """
    counts, now = services().minute_counts[subscription_argument(view.subscription)], datetime.now(UTC)
    return draw(counts.hour(now, wait_seconds), query, view, now)


def draw(hour: Hour, query: Query, view: ListArguments, now: datetime) -> Timeline:
    """Compute positions and links of an hour; links keep the rest of the filter. Pure."""
    counts = [minute.count or 0 for minute in hour.minutes]
    since, largest = hour.minutes[0].at, max(counts)
    return Timeline(
        since=since,
        now=now,
        is_pending=hour.uncounted > 0 or hour.is_refreshing,
        # The newest minutes are always counted a moment later.
        is_counting=hour.uncounted > _UNCOUNTED_NORMALLY,
        total=sum(counts),
        is_cut=largest >= MAX_COUNTED,
        peak=max(hour.minutes, key=lambda minute: minute.count or 0),
        bars=tuple(
            Bar(x, max(_MIN_HEIGHT, HEIGHT * count // largest), _is_chosen(query, minute.at))
            for x, (minute, count) in enumerate(zip(hour.minutes, counts, strict=True))
            if count
        ),
        spans={step: tuple(_spans(hour, step, query.timeless, view)) for step in _STEPS},
        stops=tuple(_stops(hour, now)),
        timeless=query.timeless,
    )


def _is_chosen(query: Query, at: datetime) -> bool:
    after, before = query.after, query.before
    return (after is None or at >= after.replace(second=0, microsecond=0)) and (before is None or at < before)


def _spans(hour: Hour, step: int, timeless: str, view: ListArguments) -> Iterator[Span]:
    for x in range(0, MINUTES, step):
        minutes = hour.minutes[x : x + step]
        since, until = minutes[0].at, minutes[-1].at + timedelta(minutes=1)
        q = f"{timeless} after:{since:%Y-%m-%dT%H:%MZ} before:{until:%Y-%m-%dT%H:%MZ}".strip()
        counts = [minute.count for minute in minutes if minute.count is not None]
        is_cut = any(count >= MAX_COUNTED for count in counts)
        yield Span(x, step, since, until, sum(counts) if counts else None, is_cut, ListLinks(view).to(q=q))


def _stops(hour: Hour, now: datetime) -> Iterator[PauseMark]:
    start, minute = hour.minutes[0].at, timedelta(minutes=1)
    for pause in hour.pauses:
        since, until = max(pause.since, start), min(pause.until, now)
        if until > since:
            x, width = (since - start) / minute, (until - since) / minute
            yield PauseMark(pause.subscription, since, until, round(x, 2), round(max(width, 0.2), 2))
