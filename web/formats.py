"""Write sizes, times and publishers' texts for pages. Pure."""

from datetime import datetime

from infra.messages.visible_text import visible

_UNITS = ("kB", "MB", "GB")


def size_text(size_bytes: int) -> str:
    """Write a size: ``87 B``, ``1.2 kB``, ``10 MB``."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size, unit = size_bytes / 1000, _UNITS[0]
    for larger in _UNITS[1:]:
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"


def iso(time: datetime) -> str:
    """Write a time (aware UTC) for the ``datetime`` attribute of ``<time>``: ``2026-11-23T10:42:07.318Z``."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


def day_text(time: datetime) -> str:
    """Write a day: ``23 Nov``."""
    return f"{time.day} {time:%b}"


def clock_text(time: datetime) -> str:
    """Write a time of day: ``10:42:07.318``."""
    return f"{time:%H:%M:%S}.{time.microsecond // 1000:03d}"


def full_text(time: datetime) -> str:
    """Write a day and time: ``2026-11-23 10:42:07.318 UTC``."""
    return f"{time:%Y-%m-%d} {clock_text(time)} UTC"


def span_text(seconds: float) -> str:
    """Write a duration in its two largest units: ``38 ms``, ``4.2 s``, ``2 min 10 s``, ``6 d 4 h``."""
    if seconds < 0:
        return "0 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours < 1:
        return f"{minutes} min {whole % 60} s"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def latency_text(start: datetime, end: datetime) -> str:
    """Write how much later ``end`` was. Two clocks set the times: for a negative latency, say that they differ."""
    seconds = (end - start).total_seconds()
    return span_text(seconds) if seconds >= 0 else "clocks differ"


def short(text: str, max_characters: int) -> str:
    """Write out hidden characters and cut the text to ``max_characters``, with an ellipsis at the end."""
    shown = visible(text[: max_characters + 1])
    return shown if len(shown) <= max_characters else shown[: max_characters - 1] + "…"
