"""The trace of a message: 32 hexadecimal digits, read from the attributes that tracing libraries add. Pure.

A value that its own format does not allow gives no trace: a wrong one would join messages that have nothing in common.
"""

import json
import re
from collections.abc import Callable, Mapping

_ZEROS = "0" * 32
_IS_TRACE = re.compile(r"(?!0{32})[0-9a-f]{32}")
# w3.org/TR/trace-context/#traceparent-header: lower case; a later version may append fields.
_TRACEPARENT = re.compile(
    r"(?:00-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    r"|(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)"
)
# cloud.google.com/trace/docs/trace-context: the span is a decimal number; it and the options may be absent.
_CLOUD_TRACE = re.compile(r"([0-9a-fA-F]{32})(?:/[0-9]{1,20})?(?:;o=[0-9]{1,3})?")
# github.com/openzipkin/b3-propagation: 64 or 128 bits; in one header followed by the span, the decision and the parent.
_B3_TRACE = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}")
_B3 = re.compile(r"([0-9a-f]{16}|[0-9a-f]{32})-[0-9a-f]{16}(?:-[01d](?:-[0-9a-f]{16})?)?")
# docs.datadoghq.com/tracing/trace_collection/trace_context_propagation: the lower 64 bits as a decimal number, the
# upper ones in hexadecimal digits among the tags.
_DATADOG_TRACE = re.compile(r"[0-9]{1,20}")
_DATADOG_UPPER = re.compile(r"(?:^|,)_dd\.p\.tid=([0-9a-f]{16})(?:,|$)")
_MAX_JSON_CHARACTERS = 1000


def trace_in(attributes: Mapping[str, str]) -> str:
    """Return the trace of a message, 32 hexadecimal digits in lower case; empty when no attribute names one.

    Of several attributes the first valid one counts, in the order of ``_READERS``.
    """
    if SOURCES.isdisjoint(attributes):
        return ""
    for name, read in _READERS.items():
        if (value := attributes.get(name)) and (trace := read(value, attributes)) and trace != _ZEROS:
            return trace
    return ""


def is_trace(text: str) -> bool:
    """Tell whether ``text`` is the id of a trace, as ``trace_in`` returns it."""
    return _IS_TRACE.fullmatch(text) is not None


def token_of(trace: str) -> tuple[str, ...]:
    """Return the index token of a trace: none without one."""
    return (f"trace={trace}",) if trace else ()


def _traceparent(value: str, _: Mapping[str, str]) -> str:
    match = _TRACEPARENT.fullmatch(value)
    return (match[1] or match[2]) if match else ""


def _cloud_trace(value: str, _: Mapping[str, str]) -> str:
    match = _CLOUD_TRACE.fullmatch(value)
    return match[1].lower() if match else ""


def _span_context(value: str, _: Mapping[str, str]) -> str:
    """Read the attribute of older Pub/Sub clients: a span's context as JSON.

    Node.js wrote ``{"traceId": "d4cda95b…", …}``, Python a ``trace_id`` as a number.
    """
    try:
        context = json.loads(value) if len(value) <= _MAX_JSON_CHARACTERS else None
    except (ValueError, RecursionError):
        return ""
    if not isinstance(context, dict):
        return ""
    trace, number = context.get("traceId"), context.get("trace_id")
    if isinstance(trace, str):
        return trace if is_trace(trace) else ""
    return f"{number:032x}" if type(number) is int and 0 < number < 2**128 else ""


def _b3(value: str, _: Mapping[str, str]) -> str:
    match = _B3.fullmatch(value)
    return match[1].zfill(32) if match else ""


def _b3_trace(value: str, _: Mapping[str, str]) -> str:
    return value.zfill(32) if _B3_TRACE.fullmatch(value) else ""


def _datadog(value: str, attributes: Mapping[str, str]) -> str:
    if not _DATADOG_TRACE.fullmatch(value) or not 0 < int(value) < 2**64:
        return ""
    upper = _DATADOG_UPPER.search(attributes.get("x-datadog-tags", ""))
    return f"{upper[1] if upper else '':0>16}{int(value):016x}"


_READERS: dict[str, Callable[[str, Mapping[str, str]], str]] = {
    "googclient_traceparent": _traceparent,
    "traceparent": _traceparent,
    "ce-traceparent": _traceparent,
    "x-cloud-trace-context": _cloud_trace,
    "X-Cloud-Trace-Context": _cloud_trace,
    "googclient_OpenTelemetrySpanContext": _span_context,
    "b3": _b3,
    "x-b3-traceid": _b3_trace,
    "X-B3-TraceId": _b3_trace,
    "x-datadog-trace-id": _datadog,
}
SOURCES = frozenset({*_READERS, "x-datadog-tags"})
