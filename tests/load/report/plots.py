"""Plots of a run over time, as one small SVG that follows the light or dark theme of its page."""

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from tests.load.watch.samples import Sample

MB = 2**20
# Replaced by currentColor: the text, the axes and the grid take the colour of the page.
_INK = "#010203"
_WIDTH, _HEIGHT = 8.0, 8.6
_MAX_POINTS = 400
# Legible on white and on black.
_COLOURS = {"blue": "#3b82c4", "orange": "#d9822b", "green": "#3f9c5a", "red": "#d64545", "grey": "#8a8f98"}
_THEME = """<style>
svg { color: #24292f; }
@media (prefers-color-scheme: dark) { svg { color: #d0d7de; } }
</style>"""


def draw(title: str, samples: Sequence[Sample], faults: Iterable[float]) -> str:
    """Return the SVG: rate, latency, backlog and memory over the seconds; a thin line for each fault."""
    # The import takes a second, in each process that collects tests.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: dict[Any, object] = {
        "svg.fonttype": "none",
        "svg.hashsalt": title,
        "font.size": 9,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "grid.color": _INK,
        "legend.framealpha": 0.0,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        figure.suptitle(title)
        axes = figure.subplots(4, 1, sharex=True)
        seconds = [sample.second for sample in samples]
        marks = list(faults)
        for one, fill in zip(axes, (_rates, _latencies, _backlogs, _memory), strict=True):
            fill(one, seconds, samples)
            one.grid(visible=True, alpha=0.2, linewidth=0.5)
            for mark in marks:
                one.axvline(mark, color=_COLOURS["grey"], linewidth=0.6, linestyle=":")
            room = 3.0 if one.get_yscale() == "symlog" else 1.25  # for the legend
            one.set_ylim(0, room * max(one.get_ylim()[1], 1.0))
            one.legend(loc="upper left", ncols=3, fontsize=8)
        axes[-1].set_xlabel("seconds; dotted: faults" if marks else "seconds")
        return _svg(figure)


def _rates(axes: Any, seconds: list[float], samples: Sequence[Sample]) -> None:
    axes.set_ylabel("messages/s")
    _line(axes, seconds, [sample.published for sample in samples], "published", "blue")
    _line(axes, seconds, [sample.acknowledged for sample in samples], "acknowledged", "green")
    _line(axes, seconds, [sample.refused for sample in samples], "refused", "red")


def _latencies(axes: Any, seconds: list[float], samples: Sequence[Sample]) -> None:
    axes.set_ylabel("milliseconds")
    axes.set_yscale("symlog", linthresh=100)
    for index, label, colour in ((0, "push, p50", "green"), (1, "push, p95", "blue"), (2, "push, p99", "orange")):
        found = [1000 * sample.push[index] if sample.push else float("nan") for sample in samples]
        _line(axes, seconds, found, label, colour)
    client = [1000 * sample.to_client[1] if sample.to_client else float("nan") for sample in samples]
    _line(axes, seconds, client, "to client, p95", "red")


def _backlogs(axes: Any, seconds: list[float], samples: Sequence[Sample]) -> None:
    axes.set_ylabel("backlog, streams")
    _line(axes, seconds, [sample.backlog for sample in samples], "waiting messages", "orange")
    _line(axes, seconds, [sample.streams for sample in samples], "open streams", "blue")


def _memory(axes: Any, seconds: list[float], samples: Sequence[Sample]) -> None:
    axes.set_ylabel("memory, MB")
    for name, colour in (("receiver", "blue"), ("viewer", "green"), ("cloud", "grey")):
        label = "local cloud" if name == "cloud" else name
        sizes = [getattr(sample, name).rss_bytes / MB for sample in samples]
        if any(sizes):
            _line(axes, seconds, sizes, label, colour)


def _line(axes: Any, seconds: list[float], values: Sequence[float], label: str, colour: str) -> None:
    """Draw a line of at most ``_MAX_POINTS``: of each span of seconds the largest value counts."""
    span = -(-len(values) // _MAX_POINTS) or 1
    starts = range(0, len(values), span)
    peaks = [max(values[start : start + span]) for start in starts]
    axes.plot([seconds[start] for start in starts], peaks, label=label, color=_COLOURS[colour], linewidth=1.1)


def _svg(figure: Any) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue().replace(_INK, "currentColor")
    text = re.sub(r"^.*?(?=<svg)", "", text, flags=re.DOTALL)
    # Pixels, so that an inline image does not exceed its page.
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'width="100%"', text, count=1)
    return text.replace("<defs>", f"{_THEME}\n<defs>", 1)
