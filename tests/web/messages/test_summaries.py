"""Summaries of well-known messages; other messages cost little and raise no error."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.messages.visible_text import is_visible
from tests.support.cpu_cost import assert_cheap
from tests.support.firestore.writer import stored_message
from tests.support.viewer.visitor import Skeleton
from web.messages.rows import row_html
from web.messages.summaries import MAX_CHARACTERS, PARSED_BYTES, RECOGNISERS, Facts, summarise

BUILD = {
    "id": "8c7f2b6e-3a10-4a53-9a5f-0d6f1f7a2f11",
    "projectId": "shop-prod",
    "status": "SUCCESS",
    "source": {"gitSource": {"url": "https://git.example/shop/gateway.git", "revision": "a1b2c3d"}},
    "steps": [{"name": "gcr.io/cloud-builders/docker", "args": ["build", "."], "status": "SUCCESS"}],
    "createTime": "2026-11-23T10:40:00.101010101Z",
    "startTime": "2026-11-23T10:40:02.123456789Z",
    "finishTime": "2026-11-23T10:42:12.223456Z",
    "substitutions": {"REPO_NAME": "gateway", "BRANCH_NAME": "main", "SHORT_SHA": "a1b2c3d"},
}
BUILD_ATTRIBUTES = {"buildId": "8c7f2b6e-3a10-4a53-9a5f-0d6f1f7a2f11", "status": "SUCCESS"}
FAILED = BUILD | {"status": "FAILURE", "failureInfo": {"type": "USER_BUILD_STEP", "detail": "step 1 failed: exit 2"}}
OBJECT_ATTRIBUTES = {
    "notificationConfig": "projects/_/buckets/photos/notificationConfigs/3",
    "eventType": "OBJECT_FINALIZE",
    "payloadFormat": "JSON_API_V1",
    "bucketId": "photos",
    "objectId": "2026/cat.png",
    "objectGeneration": "1763894520000000",
}
OBJECT = {"kind": "storage#object", "name": "2026/cat.png", "bucket": "photos", "size": "1234567"}
AUDIT = {
    "protoPayload": {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": "admin@example.com"},
        "serviceName": "iam.googleapis.com",
        "methodName": "google.iam.admin.v1.CreateServiceAccount",
        "resourceName": "projects/shop-prod",
        "status": {},
    },
    "insertId": "1x2y3z",
    "resource": {"type": "service_account", "labels": {"project_id": "shop-prod"}},
    "severity": "NOTICE",
    "logName": "projects/shop-prod/logs/cloudaudit.googleapis.com%2Factivity",
}
REFUSED = {
    "protoPayload": {
        "serviceName": "storage.googleapis.com",
        "methodName": "storage.objects.get",
        "resourceName": "projects/_/buckets/photos/objects/cat.png",
        "status": {"code": 7, "message": "Permission denied"},
    }
}
INCIDENT = {
    "incident_id": "0.abc123",
    "policy_name": "High latency",
    "condition_name": "p99 over 1 s",
    "resource_name": "shop-prod checkout",
    "state": "closed",
    "started_at": 1763894520,
    "ended_at": 1763894823,
    "summary": "p99 for shop-prod checkout returned to normal.",
}
EVENT = {"specversion": "1.0", "id": "7", "type": "com.example.created", "source": "/orders", "subject": "42"}


def summary(body: object, **attributes: str) -> str:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return summarise(replace(stored_message(1, data=data), attributes=attributes))


@pytest.mark.parametrize(
    ("body", "attributes", "line"),
    [
        (BUILD, BUILD_ATTRIBUTES, "Build SUCCESS · gateway · main · 2 min 10 s"),
        (
            FAILED,
            BUILD_ATTRIBUTES | {"status": "FAILURE"},
            "Build FAILURE · gateway · main · 2 min 10 s · step 1 failed: exit 2",
        ),
        ({}, BUILD_ATTRIBUTES | {"status": "QUEUED"}, "Build QUEUED · 8c7f2b6e"),
        (b"x" * 20_000, BUILD_ATTRIBUTES, "Build SUCCESS · 8c7f2b6e"),
        (
            b"\xef\xbb\xbf" + json.dumps(BUILD).encode(),
            BUILD_ATTRIBUTES,
            "Build SUCCESS · gateway · main · 2 min 10 s",
        ),
        (OBJECT, OBJECT_ATTRIBUTES, "Storage OBJECT_FINALIZE · photos/2026/cat.png · 1.2 MB"),
        (
            b"",
            OBJECT_ATTRIBUTES | {"overwroteGeneration": "1"},
            "Storage OBJECT_FINALIZE · photos/2026/cat.png · replaced an earlier one",
        ),
        (AUDIT, {}, "Audit iam CreateServiceAccount · projects/shop-prod · by admin@example.com"),
        (
            REFUSED,
            {},
            "Audit storage.objects.get · projects/_/buckets/photos/objects/cat.png · failed: Permission denied",
        ),
        (
            {"incident": INCIDENT, "version": "1.2"},
            {},
            "Alert closed · High latency · p99 over 1 s · shop-prod checkout · 5 min 3 s",
        ),
        (
            {"incident": INCIDENT | {"state": "open", "ended_at": None}},
            {},
            "Alert open · High latency · p99 over 1 s · shop-prod checkout",
        ),
        (EVENT | {"data": {"n": 1.5}}, {}, "Event com.example.created · /orders · 42"),
        (b"\xff", {f"ce-{name}": value for name, value in EVENT.items()}, "Event com.example.created · /orders · 42"),
        ({"specversion": "1.0"}, {}, ""),
        ({"incident": "none", "protoPayload": ["methodName"]}, {}, ""),
        ({"hello": "world"}, {"status": "SUCCESS"}, ""),
        (b"", {}, ""),
    ],
)
def test_summary_of_well_known_messages(body: object, attributes: dict[str, str], line: str) -> None:
    assert summary(body, **attributes) == line


def test_summary_is_before_the_payload_in_the_row() -> None:
    message = replace(stored_message(1, data=json.dumps(BUILD).encode()), attributes=BUILD_ATTRIBUTES, preview="{raw}")
    html = row_html(message)
    assert (
        '<span class="summary">Build SUCCESS · gateway · main · 2 min 10 s</span> <span class="raw">{raw}</span>'
        in html
    )
    assert 'title="{raw}"' in html


HOSTILE = "</span></a><script>alert(1)</script>\u202e\x00\r\n\ud800"


def test_hostile_summary_parts_stay_one_line_of_text() -> None:
    rows = []
    for text in ("harmless", HOSTILE):
        body = json.dumps({"substitutions": {"REPO_NAME": text, "BRANCH_NAME": text}}).encode()
        message = stored_message(1, data=body)
        message = replace(message, preview="{raw}", attributes={"buildId": "x", "status": text.replace("\ud800", "")})
        rows.append(Skeleton(row_html(message)).elements)
        row_html(message).encode()
        assert is_visible(summarise(message))
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    "value",
    [HOSTILE, "x" * 5000, 10**4000, "9" * 5000, -1, True, None, 1e300, [], {}, ["a"], {"a": "b"}, "0001-01-01", "٣"],
)
@pytest.mark.parametrize(("body", "attributes"), [(BUILD, BUILD_ATTRIBUTES), (OBJECT, OBJECT_ATTRIBUTES), (AUDIT, {})])
def test_any_value_gives_a_short_line(value: object, body: object, attributes: dict[str, str]) -> None:
    line = summary(_with_every_value(body, value), **attributes)
    assert len(line) <= MAX_CHARACTERS
    assert is_visible(line)


@pytest.mark.parametrize("value", [HOSTILE, 10**60, -(10**60), 1.5, None, [], {}])
def test_any_incident_gives_a_short_line(value: object) -> None:
    for name in INCIDENT:
        line = summary({"incident": INCIDENT | {name: value}})
        assert len(line) <= MAX_CHARACTERS
        assert is_visible(line)


def _with_every_value(body: object, value: object) -> object:
    if isinstance(body, dict):
        return {name: _with_every_value(member, value) for name, member in body.items()}
    return value


NAMES = st.sampled_from(sorted({*BUILD_ATTRIBUTES, *OBJECT_ATTRIBUTES, *(f"ce-{name}" for name in EVENT), "other"}))


@given(
    st.dictionaries(NAMES, st.text(max_size=20)),
    st.binary(max_size=200) | st.sampled_from([b'{"protoPayload":', b'{"incident":', b'{"specversion":' * 900]),
)
def test_summarise_never_raises(attributes: dict[str, str], data: bytes) -> None:
    assert len(summary(data, **attributes)) <= MAX_CHARACTERS


def _filled(piece: bytes) -> bytes:
    head, room = b'{"protoPayload":[', PARSED_BYTES - 40
    return head + piece * (room // len(piece)) + b"1]}"


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(BUILD | {"steps": BUILD["steps"] * 60}).encode(),  # type: ignore[operator]
        _filled(b"1.1e1,"),
        _filled(b"1,"),
        _filled(b"{},"),
        b'{"protoPayload":' + b"[" * (PARSED_BYTES - 20),
        b'{"x":"' + b'"incident' * 1_000_000,
    ],
)
def test_summary_costs_little(data: bytes) -> None:
    """On a quiet machine the slowest takes 160 µs."""
    message = replace(stored_message(1, data=data), attributes=BUILD_ATTRIBUTES)
    assert_cheap(lambda: summarise(message), loops=0.1, tries=20)


def test_recognisers_are_a_table_of_functions() -> None:
    assert all(recognise(Facts({}, b"")) is None for recognise in RECOGNISERS)
