"""Addresses in the Google Cloud console: the spans and the log entries of a trace. Pure.

The console documents no address for a trace or a query. Google's client for Rust writes the first form, and public
tools write the second.
"""

from datetime import datetime, timedelta
from urllib.parse import quote

_CONSOLE = "https://console.cloud.google.com"
# The Logs Explorer opens with the last hour, and a trace may be days old. Services log before and after they publish.
_AROUND = timedelta(hours=1)


def cloud_trace(project: str, trace: str) -> str:
    """Return the address of a trace in the Trace Explorer."""
    return f"{_CONSOLE}/traces/explorer;traceId={quote(trace, safe='')}?project={quote(project, safe='')}"


def logs(project: str, trace: str, first: datetime, last: datetime) -> str:
    """Return the address of a trace's log entries, from an hour before ``first`` to an hour after ``last``."""
    # cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry, "trace"
    query = quote(f'trace="projects/{project}/traces/{trace}"', safe="")
    span = f"{_stamp(first - _AROUND)}%2F{_stamp(last + _AROUND)}"
    return f"{_CONSOLE}/logs/query;query={query};timeRange={span}?project={quote(project, safe='')}"


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
