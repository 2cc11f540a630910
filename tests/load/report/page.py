"""The report as one HTML file, and the samples as JSON lines beside it."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tests.load.report.plots import draw
from tests.load.scene import Scene
from tests.load.verdict import Outcome
from tests.load.watch.samples import percentiles


def write_report(outcome: Outcome, directory: Path) -> Path:
    """Write ``report.html``, ``plots.svg`` and ``samples.jsonl``; return the path of the page."""
    scene, stage = outcome.scene, outcome.stage
    title = f"{stage.name}, {stage.title}"
    faults = [(at - scene.began_at, sentence) for at, sentence in scene.faults.said]
    plots = draw(title, scene.samples, [second for second, _ in faults])
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("page.html").render(
        title=title, outcome=outcome, plots=Markup(plots), faults=faults, totals=list(_totals(scene))
    )
    (directory / "plots.svg").write_text(plots)
    (directory / "samples.jsonl").write_text("".join(json.dumps(asdict(one)) + "\n" for one in scene.samples))
    path = directory / "report.html"
    path.write_text(page)
    return path


def _totals(scene: Scene) -> Iterator[tuple[str, str]]:
    ledger = scene.ledger
    yield "published", str(len(ledger.published))
    yield "answers of the receiver", _counts(ledger.statuses)
    yield "push, p50 / p95 / p99", _milliseconds([seconds for _, _, seconds in ledger.pushes])
    yield "refused pushes, p50 / p95 / p99", _milliseconds(ledger.refusal_seconds)
    yield "publish to client, p50 / p95 / p99", _milliseconds([seconds for _, seconds in scene.to_client])
    yield "list page, p50 / p95 / p99", _milliseconds([visit.seconds for visit in scene.admin.visits])
    yield "stream connections", str(sum(len(client.log.connections) for client in scene.clients))
    yield "resyncs", str(sum(client.log.resyncs for client in scene.clients))
    yield "Listen streams opened", str(ledger.events["listen_opened"])
    yield "fetches of certificates", str(ledger.events["certificates_fetched"])
    yield "writes by collection", _counts(ledger.writes)


def _counts(counts: dict[object, int] | dict[str, int] | dict[int, int]) -> str:
    return ", ".join(f"{count} × {name}" for name, count in sorted(counts.items(), key=lambda one: -one[1])) or "none"


def _milliseconds(seconds: list[float]) -> str:
    return " / ".join(f"{1000 * value:.0f}" for value in percentiles(seconds)) + f" ms of {len(seconds)}"
