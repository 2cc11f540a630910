"""The pass column of each stage: checks of completeness and of times. A check reads a finished scene.

Times depend on the machine, so tests assert completeness alone; ``make load`` asserts both.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.load.check.invariants import check_gaps
from tests.load.watch.samples import Sample, percentile

if TYPE_CHECKING:
    from tests.load.scene import Scene

MB = 2**20
# L7 compares from here on: caches fill first. The part is of the stage's whole time.
WARM_UP_PART = 10 / 45
COMPARED_PART = 5 / 45


@dataclass(frozen=True)
class Check:
    """One row of the verdict. ``depends_on_speed`` is true for a bound that a slow machine may miss."""

    name: str
    found: str
    wanted: str
    passed: bool
    depends_on_speed: bool = True


Target = Callable[["Scene"], Iterator[Check]]


def all_stored(scene: "Scene") -> Iterator[Check]:
    """Every message is stored and acknowledged, except dead letters."""
    ledger = scene.ledger
    dead = sum(one.dead_lettered for one in ledger.published.values())
    stored = sum(ledger.is_stored(message) for message in ledger.published)
    found = f"{stored} of {len(ledger.published)}, {dead} dead-lettered, backlog {ledger.backlog}"
    lost = [name for name, one in ledger.published.items() if not one.dead_lettered and not ledger.is_stored(name)]
    yield Check("stored messages", found, "all", not lost and not ledger.backlog, depends_on_speed=False)


def streams_complete(scene: "Scene") -> Iterator[Check]:
    """Every client that reads got every message, without a resync."""
    resyncs = sum(client.log.resyncs for client in scene.clients)
    gaps = [gap for client in scene.clients for gap in check_gaps(scene.ledger, client.log)]
    found = f"{len(scene.clients) - len(gaps)} of {len(scene.clients)} streams, {resyncs} resyncs"
    yield Check("complete streams", found, "all, without a resync", not gaps and not resyncs, depends_on_speed=False)


def no_server_errors(scene: "Scene") -> Iterator[Check]:
    """The receiver and the pages answer no 5xx, and every page has an answer.

    A push without an answer is no error: the receiver's server closes idle connections, and a push may meet that.
    """
    errors = sum(count for status, count in scene.ledger.statuses.items() if status >= 500)
    pages = [visit for visit in scene.admin.visits if visit.status >= 500 or not visit.status]
    found = f"{errors} pushes, {len(pages)} of {len(scene.admin.visits)} pages"
    if unanswered := scene.ledger.statuses[0]:
        found += f"; {unanswered} pushes without an answer"
    yield Check("server errors", found, "no 5xx", not errors and not pages, depends_on_speed=False)


def valid_tokens_pass(scene: "Scene") -> Iterator[Check]:
    """No push of Pub/Sub is refused for its token: while keys cannot be had, the answer is 503."""
    refused = scene.ledger.statuses[401] + scene.ledger.statuses[403]
    yield Check("valid tokens refused", str(refused), "none", not refused, depends_on_speed=False)


def push_p99(bound_seconds: float) -> Target:
    """99 % of the pushes are acknowledged in time."""
    return lambda scene: _below("push, p99", _pushes(scene), 99, bound_seconds)


def small_push_p95(bound_seconds: float) -> Target:
    """95 % of the small messages' pushes are acknowledged in time, beside large ones."""

    def check(scene: "Scene") -> Iterator[Check]:
        small = [
            seconds
            for at, message, seconds in scene.ledger.pushes
            if at >= scene.began_at and scene.ledger.published[message].bytes < 16 * 1024
        ]
        yield from _below("push of small messages, p95", small, 95, bound_seconds)

    return check


def client_p95(bound_seconds: float) -> Target:
    """95 % of the messages reach a client in time."""
    return lambda scene: _below("publish to client, p95", [one for _, one in scene.to_client], 95, bound_seconds)


def page_p95(bound_seconds: float) -> Target:
    """95 % of the list pages are complete in time."""
    return lambda scene: _below("list page, p95", [one.seconds for one in scene.admin.visits], 95, bound_seconds)


def rss_growth(bound_mb: float) -> Target:
    """Receiver and viewer grow little between the first and the largest sample."""

    def check(scene: "Scene") -> Iterator[Check]:
        for name in ("receiver", "viewer"):
            sizes = _sizes(scene, name)
            growth = max(sizes) - sizes[0]
            yield Check(f"memory growth of the {name}", f"{growth:.0f} MB", f"< {bound_mb:g} MB", growth < bound_mb)

    return check


def rss_below(bound_mb: float) -> Target:
    """Receiver and viewer stay small."""

    def check(scene: "Scene") -> Iterator[Check]:
        for name in ("receiver", "viewer"):
            largest = max(_sizes(scene, name))
            yield Check(f"memory of the {name}", f"{largest:.0f} MB", f"< {bound_mb:g} MB", largest < bound_mb)

    return check


def stalled_are_cut(bound_seconds: float) -> Target:
    """The viewer cuts each client that does not read. The looks are a second apart, on both sides."""

    def check(scene: "Scene") -> Iterator[Check]:
        times = [one.seconds_until_cut for one in scene.stalled]
        cut = [seconds for seconds in times if seconds is not None]
        found = f"{len(cut)} of {len(times)} cut, after {max(cut, default=0):.0f} s at most"
        passed = len(cut) == len(times) and max(cut, default=0) <= bound_seconds + 3
        yield Check("stalled clients", found, f"cut within {bound_seconds:g} s (+ 3 s of looks)", passed)

    return check


def viewer_returns(tolerance: int) -> Target:
    """When the audience has left, the viewer has the threads and files that it had after a rehearsal."""

    def check(scene: "Scene") -> Iterator[Check]:
        before, after = scene.viewer_before, scene.viewer_after
        for name, first, last in (
            ("threads", before.threads, after.threads),
            ("files", before.files, after.files),
        ):
            passed = last - first <= tolerance
            yield Check(f"{name} of the viewer", f"{first} before, {last} after", f"+ {tolerance}", passed, False)

    return check


def rss_slope(bound_mb_per_minute: float) -> Target:
    """Memory does not grow after the warm-up."""

    def check(scene: "Scene") -> Iterator[Check]:
        for name in ("receiver", "viewer"):
            late = _after_warm_up(scene)
            slope = 0.0
            if len(late) > 1:
                minutes = [sample.second / 60 for sample in late]
                sizes = [getattr(sample, name).rss_bytes / MB for sample in late]
                slope = statistics.linear_regression(minutes, sizes).slope
            wanted = f"< {bound_mb_per_minute:g} MB/min"
            yield Check(f"memory slope of the {name}", f"{slope:.2f} MB/min", wanted, slope < bound_mb_per_minute)

    return check


def flat_threads_and_files(scene: "Scene") -> Iterator[Check]:
    """Threads and files at the end are those after the warm-up; flapping clients make them swing."""
    late = _after_warm_up(scene)
    tenth = max(1, len(late) // 10)
    for name in ("receiver", "viewer"):
        for kind in ("threads", "files"):
            first = statistics.median(getattr(getattr(sample, name), kind) for sample in late[:tenth])
            last = statistics.median(getattr(getattr(sample, name), kind) for sample in late[-tenth:])
            passed = last - first <= 5
            yield Check(f"{kind} of the {name}", f"{first:g} to {last:g}", "flat (+ 5)", passed, False)


def reopens_once_a_drop(scene: "Scene") -> Iterator[Check]:
    """The feed opens its stream once for each drop."""
    drops = sum(sentence.startswith("Listen ends") for _, sentence in scene.faults.said)
    reopened = scene.ledger.events["listen_opened"] - 1
    yield Check(
        "Listen streams opened again", f"{reopened} for {drops} drops", "one for each", reopened <= drops, False
    )


def steady_push_p99(percent: float) -> Target:
    """The pushes at the end are as fast as at the beginning."""

    def check(scene: "Scene") -> Iterator[Check]:
        pushes = [(at, seconds) for at, _, seconds in scene.ledger.pushes if at >= scene.began_at]
        part = COMPARED_PART * (pushes[-1][0] - scene.began_at)
        first = percentile([seconds for at, seconds in pushes if at < scene.began_at + part], 99)
        last = percentile([seconds for at, seconds in pushes if at > pushes[-1][0] - part], 99)
        found = f"{1000 * first:.0f} ms, then {1000 * last:.0f} ms"
        yield Check("push, p99, first and last part", found, f"+ {percent:g} %", last <= first * (1 + percent / 100))

    return check


def abuse_writes_nothing(scene: "Scene") -> Iterator[Check]:
    """No attack leaves a rejection or a message."""
    foreign = scene.ledger.by_message.keys() - scene.ledger.published.keys()
    found = f"{scene.ledger.writes['rejections']} rejections, {len(foreign)} messages"
    passed = not scene.ledger.writes["rejections"] and not foreign
    yield Check("writes of attackers", found, "none", passed, depends_on_speed=False)


def abuse_meets_no_server_error(scene: "Scene") -> Iterator[Check]:
    """Attackers are refused, and cause no error. 503 with Retry-After is a refusal: no place for another sign-in."""
    assert scene.attackers, "this stage has no attackers"
    for attack, answers in sorted(scene.attackers.answers.items()):
        found = ", ".join(f"{count} × {status or 'closed'}" for status, count in sorted(answers.items()))
        passed = not scene.attackers.errors[attack]
        yield Check(f"answers to {attack}", found, "refusals, no error", passed, depends_on_speed=False)


def others_sign_in(scene: "Scene") -> Iterator[Check]:
    """A person of another network signs in during the flood."""
    seconds = [visit.seconds for visit in scene.sign_ins]
    entered = sum(visit.status == 303 for visit in scene.sign_ins)
    found = f"{entered} of {len(seconds)}, p95 {1000 * percentile(seconds, 95):.0f} ms"
    yield Check("sign-ins of others", found, "all", bool(seconds) and entered == len(seconds))


def certificate_fetches(bound: int) -> Target:
    """Garbage tokens do not make the receiver ask Google for keys."""

    def check(scene: "Scene") -> Iterator[Check]:
        fetches = scene.ledger.events["certificates_fetched"]
        yield Check("fetches of certificates", str(fetches), f"at most {bound}", fetches <= bound, False)

    return check


def _below(name: str, seconds: list[float], percent: int, bound_seconds: float) -> Iterator[Check]:
    found = percentile(seconds, percent)
    passed = bool(seconds) and found < bound_seconds
    yield Check(name, f"{1000 * found:.0f} ms of {len(seconds)}", f"< {1000 * bound_seconds:.0f} ms", passed)


def _pushes(scene: "Scene") -> list[float]:
    return [seconds for at, _, seconds in scene.ledger.pushes if at >= scene.began_at]


def _sizes(scene: "Scene", name: str) -> list[float]:
    sizes = [getattr(sample, name).rss_bytes / MB for sample in scene.samples]
    return [size for size in sizes if size] or [0.0]


def _after_warm_up(scene: "Scene") -> list[Sample]:
    warm = scene.samples[-1].second * WARM_UP_PART
    return [sample for sample in scene.samples if sample.second >= warm]
