"""The severity of a message: the fields that state it, the kinds that mean one, and what a mask leaves of it."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.messages.masking import Mask
from infra.messages.message import MAX_TOKENS, MORE_TOKENS, index_tokens
from infra.messages.severity import (
    ATTRIBUTE_SOURCES,
    LEVELS,
    PAYLOAD_SOURCES,
    level_of,
    severity_in,
    severity_of,
    token_of,
)
from tests.support.cpu_cost import assert_cheap
from tests.support.received import message

BUILD = {"buildId": "7d1f"}
STORED = {"bucketId": "photos", "objectId": "cat.png"}
DEAD = {"CloudPubSubDeadLetterSourceSubscription": "orders"}
AUDIT = "projects/p/logs/cloudaudit.googleapis.com%2Factivity"


def severity(attributes: Mapping[str, str] | None = None, data: object = b"") -> str:
    """Return what the receiver stores."""
    payload = data if isinstance(data, bytes) else json.dumps(data).encode()
    return message(payload, attributes=attributes or {}).severity


@pytest.mark.parametrize(
    ("name", "value", "level"),
    [
        ("severity", "ERROR", "ERROR"),
        ("severity", " Warn ", "WARNING"),
        ("severity", "DEFAULT", ""),
        ("severity", "400", "WARNING"),
        ("severity", "800", "EMERGENCY"),
        ("severity", "0", ""),
        ("severity", "3", ""),
        ("severity", "30", ""),
        ("severity", "HIGH", ""),
        ("severity", "", ""),
        ("Severity", "notice", "NOTICE"),
        ("sEVERITY", "ERROR", ""),
        ("level", "info", "INFO"),
        ("level", "30", "INFO"),
        ("level", "60", "CRITICAL"),
        ("level", "35", ""),
        ("level", "3", ""),
        ("level", "400", ""),
        ("LEVEL", "FATAL", "CRITICAL"),
        ("lvl", "dbg", "DEBUG"),
        ("log.level", "trace", "DEBUG"),
        ("log_level", "SEVERE", "ERROR"),
        ("LogLevel", "Information", "INFO"),
        ("@l", "Verbose", "DEBUG"),
        ("levelname", "CRITICAL", "CRITICAL"),
        ("level_name", "ALERT", "ALERT"),
        ("severityText", "Error", "ERROR"),
        ("SeverityNumber", "17", "ERROR"),
        ("severity_number", "9", "INFO"),
        ("levelno", "30", "WARNING"),
        ("PRIORITY", "3", "ERROR"),
        ("priority", "3", ""),
        ("syslog_severity", "0", "EMERGENCY"),
        ("log.syslog.severity.code", "7", "DEBUG"),
        ("status", "ERROR", ""),
    ],
)
def test_field_states_the_severity_as_attribute_and_as_member(name: str, value: str, level: str) -> None:
    assert severity({name: value}) == level
    assert severity(data={name: value, "text": "ERROR"}) == level
    if value.isdigit():
        assert severity(data={name: int(value)}) == level


@pytest.mark.parametrize(
    ("attributes", "data", "level"),
    [
        ({**BUILD, "status": "SUCCESS"}, b"", "INFO"),
        ({**BUILD, "status": "FAILURE"}, {"status": "FAILURE"}, "ERROR"),
        ({**BUILD, "status": "TIMEOUT"}, b"", "ERROR"),
        ({**BUILD, "status": "INTERNAL_ERROR"}, b"", "ERROR"),
        ({**BUILD, "status": "CANCELLED"}, b"", "NOTICE"),
        ({**BUILD, "status": "STATUS_UNKNOWN"}, b"", ""),
        ({"status": "FAILURE"}, {"buildId": "7d1f"}, ""),
        ({**STORED, "eventType": "OBJECT_FINALIZE"}, b"", "INFO"),
        ({**STORED, "eventType": "OBJECT_DELETE"}, b"", "NOTICE"),
        ({"objectId": "1", "eventType": "OBJECT_DELETE"}, b"", ""),
        ({"ce-type": "google.cloud.storage.object.v1.deleted"}, b"", "NOTICE"),
        ({"ce-type": "com.example.error"}, b"", ""),
        (DEAD, b"\xff", "ERROR"),
        ({**DEAD, "severity": "INFO"}, b"", "ERROR"),
        ({**DEAD, "level": "fatal"}, b"", "CRITICAL"),
        ({}, {"logName": AUDIT, "protoPayload": {"status": {"code": 7}}}, "ERROR"),
        ({}, {"logName": AUDIT, "severity": "NOTICE", "protoPayload": {"status": {"code": 7}}}, "ERROR"),
        ({}, {"logName": AUDIT, "severity": "NOTICE", "protoPayload": {"status": {}}}, "NOTICE"),
        ({}, {"logName": AUDIT, "protoPayload": {"status": {"code": 0}}}, ""),
        ({}, {"logName": AUDIT, "protoPayload": [7]}, ""),
        ({}, {"logName": "projects/p/logs/run", "protoPayload": {"status": {"code": 7}}}, ""),
        ({}, {"version": "1.2", "incident": {"state": "open", "severity": "Warning"}}, "WARNING"),
        ({}, {"version": "1.2", "incident": {"state": "open", "severity": "No severity"}}, "ERROR"),
        ({}, {"version": "1.2", "incident": {"state": "open"}}, "ERROR"),
        ({}, {"version": "1.2", "incident": {"state": "closed", "severity": "Critical"}}, "NOTICE"),
        ({}, {"version": "1.2", "incident": {"severity": "Critical"}}, ""),
        ({}, {"version": "1.2", "incident": "open"}, ""),
        ({}, {"version": "1.1", "short_message": "disk full", "level": 2}, "CRITICAL"),
        ({}, {"version": "1.1", "short_message": "disk full"}, ""),
        ({"level": "info"}, {"severity": "ERROR"}, "ERROR"),
        ({"level": "error"}, {"severity": "INFO"}, "ERROR"),
        ({}, b'\xef\xbb\xbf{"version": 1, "incident": {"state": "open"}}', "ERROR"),
        ({}, b'[{"severity": "ERROR"}]', ""),
        ({}, b"severity: ERROR", ""),
        ({}, {"log": {"severity": "ERROR"}}, ""),
    ],
)
def test_known_kinds_mean_a_severity_and_the_highest_counts(
    attributes: dict[str, str], data: object, level: str
) -> None:
    assert severity(attributes, data) == level


def test_long_payload_of_a_known_kind_is_not_parsed() -> None:
    audit = {"logName": AUDIT, "protoPayload": {"status": {"code": 7}, "request": "x" * 9_000}}
    assert severity(data=audit) == ""
    assert severity(data={**audit, "severity": "ERROR"}) == "ERROR", "a stated one is found in every JSON"


def test_unknown_severity_has_no_token_and_a_known_one_always_has_room() -> None:
    assert token_of("") == ()
    attributes = {f"a{number}": "x" for number in range(40)}
    tokens = index_tokens(attributes, (), token_of("ERROR"))
    assert (tokens[0], tokens[-1], len(tokens)) == ("severity=ERROR", MORE_TOKENS, MAX_TOKENS)
    assert index_tokens({"severity": "ERROR"}, (), token_of("ERROR")) == ["severity=ERROR"]


def test_message_without_the_field_shows_what_its_other_fields_tell() -> None:
    failed = message(b'{"level": 50}', attributes={"a": "b"})
    assert severity_of(replace(failed, severity="")) == "ERROR"
    assert severity_of(replace(failed, severity="nonsense")) == "ERROR", "a document can be edited by hand"
    assert severity_of(replace(failed, severity="", data=None)) == "ERROR", "the index has the short fields"
    assert severity_of(replace(failed, severity="", data=b"\xff")) == "ERROR", "and not the payload"
    assert severity_of(replace(failed, severity="", tokens=())) == ""
    assert severity_of(replace(failed, severity="ALERT")) == "ALERT"


@pytest.mark.parametrize("name", sorted(ATTRIBUTE_SOURCES))
def test_masked_attribute_does_not_reveal_a_severity(name: str) -> None:
    mask = Mask((name.upper(),))
    known = {**BUILD, **STORED, **DEAD, "ce-type": "x", "eventType": "OBJECT_DELETE", "status": "FAILURE"}
    seen = {
        severity_of(mask.see(replace(message(attributes={**known, name: value}), severity=level)))
        for value, level in [("ERROR", "ERROR"), ("debug", "DEBUG"), ("FAILURE", "ALERT"), ("x", "")]
    }
    assert len(seen) == 1, "the shown severity depends on the hidden value"
    assert mask.hides_token("severity=ALERT")


@pytest.mark.parametrize(
    ("hidden", "member"),
    [
        *((path, path) for path in sorted(PAYLOAD_SOURCES)),
        ("data", "data.severity"),
        ("data.protopayload", "data.protoPayload.status.code"),
        ("data.status", "data.protoPayload.status.code"),
        ("data.Code", "data.protoPayload.status.code"),
        ("data.incident", "data.incident.state"),
    ],
)
@pytest.mark.parametrize("inline", [True, False], ids=["small", "large"])
def test_masked_member_does_not_reveal_a_severity(hidden: str, member: str, inline: bool) -> None:
    mask, shown = Mask((hidden,)), set()
    for value, level in [("ERROR", "ERROR"), ("open", "ALERT"), (7, "CRITICAL"), (0, ""), (AUDIT, "NOTICE")]:
        sent = {"logName": AUDIT, "version": "1.2", **nested(member, value)}
        stored = replace(message(json.dumps(sent).encode()), severity=level)
        shown.add(severity_of(mask.see(stored if inline else replace(stored, data=None, chunks=1))))
    assert len(shown) == 1, "the shown severity depends on the hidden value"
    assert mask.hides_token("severity=ALERT")


def nested(member: str, value: object) -> dict[str, object]:
    """Return an object with ``value`` at the path ``member``; the names of stated fields may have dots in them."""
    path = member.removeprefix("data.")
    if path.startswith(("protoPayload.", "incident.")):
        for name in reversed(path.split(".")[1:]):
            value = {name: value}
        path = path.partition(".")[0]
    return {path: value}


def test_mask_of_other_fields_leaves_the_stored_severity() -> None:
    mask = Mask(("email", "data.card.number", "ordering_key"))
    stored = replace(message(b'{"card": {"number": 7}}', attributes={"email": "x"}), severity="ALERT")
    assert severity_of(mask.see(stored)) == "ALERT"
    assert not mask.hides_token("severity=ALERT")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("error", "ERROR"),
        ("Warn", "WARNING"),
        ("FATAL", "CRITICAL"),
        ("emergency", "EMERGENCY"),
        ("500", None),
        ("", None),
    ],
)
def test_person_names_a_level_in_any_case(text: str, level: str | None) -> None:
    assert level_of(text) == level


@given(
    attributes=st.dictionaries(st.sampled_from(sorted(ATTRIBUTE_SOURCES)), st.text(max_size=8), max_size=4),
    held=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["incident", "protoPayload", "status", "state", "code", "version"]), inner
            )
        ),
        max_leaves=8,
    ),
)
def test_no_value_raises(attributes: dict[str, str], held: object) -> None:
    assert severity(attributes, held) in {"", *LEVELS}


def test_severity_is_read_cheaply() -> None:
    scalars = tuple((f"field{number}", "x" * 20) for number in range(20))
    attributes = {"buildId": "7d1f", "status": "FAILURE", "type": "build"}
    data = b'{"text": "' + b"x" * 1_000 + b'"}'
    # 5,000 messages in the time of 600,000 steps, of which one is about as long as a name's look-up in a table.
    assert_cheap(lambda: [severity_in(attributes, scalars, data) for _ in range(5_000)], loops=2)
