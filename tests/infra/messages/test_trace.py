"""The trace of a message, from each attribute that names one, and from none that is malformed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.messages.masking import Mask
from infra.messages.trace import SOURCES, is_trace, token_of, trace_in
from tests.support.received import message

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "0af7651916cd43dd8448eb211c80319c"
SHORT = "a3ce929d0e0e4736"
PADDED = "0" * 16 + SHORT
SPAN = "00f067aa0ba902b7"
NONE = "0" * 32
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize("name", ["googclient_traceparent", "traceparent", "ce-traceparent"])
@pytest.mark.parametrize(
    ("value", "trace"),
    [
        (PARENT, TRACE),
        (f"00-{TRACE}-{SPAN}-00", TRACE),
        (f"01-{TRACE}-{SPAN}-01-later", TRACE),
        (f"cc-{TRACE}-{SPAN}-01", TRACE),
        (f"00-{TRACE}-{SPAN}-01-later", ""),
        (f"01-{TRACE}-{SPAN}-01later", ""),
        (f"ff-{TRACE}-{SPAN}-01", ""),
        (f"00-{NONE}-{SPAN}-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE.upper()}-{SPAN}-01", ""),
        (f"00-{TRACE[:-1]}-{SPAN}-01", ""),
        (f"00-{TRACE}0-{SPAN}-01", ""),
        (f"00-{TRACE}-{SPAN}", ""),
        (f" {PARENT}", ""),
        (f"{PARENT}\n", ""),
        (f"00-{TRACE[:-1]}g-{SPAN}-01", ""),
        (TRACE, ""),
        ("", ""),
    ],
)
def test_traceparent_names_the_trace(name: str, value: str, trace: str) -> None:
    assert trace_in({name: value, "a": "b"}) == trace


@pytest.mark.parametrize(
    ("name", "value", "trace"),
    [
        ("x-cloud-trace-context", f"{TRACE}/123;o=1", TRACE),
        ("x-cloud-trace-context", f"{TRACE}/123", TRACE),
        ("X-Cloud-Trace-Context", TRACE.upper(), TRACE),
        ("x-cloud-trace-context", f"{TRACE};o=0", TRACE),
        ("x-cloud-trace-context", f"{TRACE}/", ""),
        ("x-cloud-trace-context", f"{TRACE}/{SPAN}", ""),
        ("x-cloud-trace-context", f"{TRACE[:31]}/123;o=1", ""),
        ("x-cloud-trace-context", f"{NONE}/123;o=1", ""),
        ("x-cloud-trace-context", f"{TRACE} /123", ""),
        ("googclient_OpenTelemetrySpanContext", f'{{"traceId":"{TRACE}","spanId":"{SPAN}","traceFlags":1}}', TRACE),
        ("googclient_OpenTelemetrySpanContext", f'{{"trace_id": {int(TRACE, 16)}, "span_id": 7}}', TRACE),
        ("googclient_OpenTelemetrySpanContext", f'{{"trace_id": {int(SHORT, 16)}}}', PADDED),
        ("googclient_OpenTelemetrySpanContext", '{"trace_id": 0}', ""),
        ("googclient_OpenTelemetrySpanContext", '{"trace_id": true}', ""),
        ("googclient_OpenTelemetrySpanContext", f'{{"trace_id": {2**128}}}', ""),
        ("googclient_OpenTelemetrySpanContext", f'{{"traceId":"{NONE}"}}', ""),
        ("googclient_OpenTelemetrySpanContext", '{"traceId":7}', ""),
        ("googclient_OpenTelemetrySpanContext", "{}", ""),
        ("googclient_OpenTelemetrySpanContext", "[]", ""),
        ("googclient_OpenTelemetrySpanContext", "[" * 900, ""),
        ("googclient_OpenTelemetrySpanContext", TRACE, ""),
        ("b3", f"{TRACE}-{SPAN}-1-{SPAN}", TRACE),
        ("b3", f"{TRACE}-{SPAN}-d", TRACE),
        ("b3", f"{SHORT}-{SPAN}", PADDED),
        ("b3", "0", ""),
        ("b3", TRACE, ""),
        ("b3", f"{TRACE.upper()}-{SPAN}-1", ""),
        ("b3", f"{TRACE}-{SPAN}-2", ""),
        ("b3", f"{'0' * 16}-{SPAN}-1", ""),
        ("x-b3-traceid", TRACE, TRACE),
        ("X-B3-TraceId", SHORT, PADDED),
        ("x-b3-traceid", TRACE[:20], ""),
        ("x-b3-traceid", f" {TRACE}", ""),
        ("x-b3-traceid", NONE, ""),
        ("x-datadog-trace-id", str(int(SHORT, 16)), PADDED),
        ("x-datadog-trace-id", "0", ""),
        ("x-datadog-trace-id", str(2**64), ""),
        ("x-datadog-trace-id", "-7", ""),
        ("x-datadog-trace-id", "٣", ""),
        ("x-datadog-trace-id", SHORT, ""),
        ("trace", TRACE, ""),
    ],
)
def test_other_formats_name_the_trace(name: str, value: str, trace: str) -> None:
    assert trace_in({name: value}) == trace


@pytest.mark.parametrize(
    ("tags", "upper"),
    [
        ("_dd.p.tid=640cfd8d00000000", "640cfd8d00000000"),
        ("_dd.p.dm=-1,_dd.p.tid=640cfd8d00000000", "640cfd8d00000000"),
        ("_dd.p.tid=640CFD8D00000000", "0" * 16),
        ("_dd.p.tid=640cfd8d0000000", "0" * 16),
        ("x_dd.p.tid=640cfd8d00000000", "0" * 16),
        ("", "0" * 16),
    ],
)
def test_tags_of_datadog_have_the_upper_half(tags: str, upper: str) -> None:
    assert trace_in({"x-datadog-trace-id": str(int(SHORT, 16)), "x-datadog-tags": tags}) == upper + SHORT


def test_first_valid_attribute_counts() -> None:
    later = {"b3": f"{OTHER}-{SPAN}-1"}
    assert trace_in({**later, "googclient_traceparent": PARENT}) == TRACE
    assert trace_in({**later, "googclient_traceparent": "unknown"}) == OTHER
    assert trace_in({"x-datadog-tags": "_dd.p.tid=640cfd8d00000000"}) == ""


def test_token_is_the_trace() -> None:
    assert message(attributes={"traceparent": PARENT}).tokens[0] == f"trace={TRACE}"
    assert token_of("") == ()
    assert not is_trace(NONE)
    assert not is_trace(TRACE.upper())


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_masked_attribute_does_not_reveal_the_trace(name: str) -> None:
    mask = Mask((name,))
    value = str(int(SHORT, 16)) if "datadog" in name else PARENT
    seen = mask.see(message(attributes={"x-datadog-trace-id": "7", name: value}))
    assert trace_in(seen.attributes) in {"", f"{7:032x}"}
    assert not any(token.startswith("trace=") for token in seen.tokens)
    assert mask.hides_token(f"trace={TRACE}")
    assert not Mask(("email",)).hides_token(f"trace={TRACE}")


@given(
    st.dictionaries(
        st.sampled_from(sorted(SOURCES)),
        st.text(max_size=60) | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    )
)
def test_every_value_gives_a_trace_or_none(attributes: dict[str, str]) -> None:
    trace = trace_in(attributes)
    assert trace == "" or is_trace(trace)
