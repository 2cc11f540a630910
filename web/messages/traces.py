"""The page of a trace: all its messages, from all subscriptions, in the order in which they were published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from infra.messages.message import Message
from infra.messages.trace import is_trace, trace_in
from web.access.roles import login_required
from web.filters.links import filter_link
from web.filters.request_filter import find, read_filter
from web.formats import latency_text
from web.messages import console_links
from web.services import services

MAX_MESSAGES = 200

blueprint = Blueprint("traces", __name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a trace; ``gap`` is how much later it was published than the one before, empty for the first."""

    message: Message
    gap: str


@dataclass(frozen=True, slots=True)
class TraceLinks:
    """The addresses of a trace: of its messages here, and of its spans and log entries in Google's console."""

    trace: str
    messages: str
    cloud_trace: str
    logs: str


@blueprint.get("/traces/<trace>")
@login_required
def page(trace: str) -> ResponseReturnValue:
    """Show the newest 200 messages of a trace, oldest first."""
    if not is_trace(trace):
        abort(404, "This is no trace: it has 32 hexadecimal digits in lower case, not all of them zeros.")
    found = find(read_filter({"q": f"trace={trace}"}), MAX_MESSAGES)
    messages = in_order(found.messages)
    return render_template(
        "messages/trace.html",
        trace=trace,
        steps=list(steps_of(messages)),
        links=trace_links(trace, messages) if messages else None,
        subscriptions=len({message.subscription for message in messages}),
        older=found.older,
        list_address=filter_link("trace", trace),
        retention_days=services().settings.retention_days,
    )


def in_order(messages: Sequence[Message]) -> list[Message]:
    """Return messages as they were published, by Pub/Sub's clock; copies for several subscriptions come together."""
    return sorted(messages, key=lambda message: (message.publish_time, message.message_id, message.subscription))


def steps_of(messages: Sequence[Message]) -> Iterator[Step]:
    """Yield the steps of messages in order."""
    before: Message | None = None
    for message in messages:
        yield Step(message, latency_text(before.publish_time, message.publish_time) if before else "")
        before = message


def trace_links(trace: str, messages: Sequence[Message]) -> TraceLinks:
    """Return the addresses of a trace, with the log entries around the times of some of its messages."""
    project, times = services().settings.google_cloud_project, [message.publish_time for message in messages]
    return TraceLinks(
        trace,
        f"/traces/{trace}",
        console_links.cloud_trace(project, trace),
        console_links.logs(project, trace, min(times), max(times)),
    )


def links_of(message: Message) -> TraceLinks | None:
    """Return the addresses of the trace that a message belongs to; None without one."""
    trace = trace_in(message.attributes)
    return trace_links(trace, [message]) if trace else None
