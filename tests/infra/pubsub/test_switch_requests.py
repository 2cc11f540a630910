"""Observed states are explained by the requests that were stored before Pub/Sub was asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.pubsub.switch_requests import (
    DONE,
    DONE_AND_UNDONE,
    OPEN_SECONDS,
    SEEN,
    AuditLine,
    SwitchRequest,
    explain,
    read_requests,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STOPPED = {"observed_running": False, "unreadable": "", "ended": ""}
RECEIVING = {"observed_running": True, "unreadable": "", "ended": "", "push_endpoint": "https://r/push"}
FOREIGN = {**RECEIVING, "push_endpoint": "https://else.example/push"}
STOP, START = {"observed_running": False}, {"observed_running": True, "push_endpoint": "https://r/push"}
ELSEWHERE = AuditLine("", "delivery.changed_elsewhere", "stopped")


def request(by: str, wanted: dict[str, Any], seconds_ago: float = 1, outcome: str = "") -> SwitchRequest:
    return SwitchRequest(f"request of {by}", by, wanted, NOW - timedelta(seconds=seconds_ago), outcome)


def done(by: str, wanted: dict[str, Any], detail: str = DONE) -> AuditLine:
    return AuditLine(by, "delivery.start" if wanted["observed_running"] else "delivery.stop", detail)


@pytest.mark.parametrize(
    ("requests", "state", "by", "lines"),
    [
        ([], STOPPED, "", [ELSEWHERE]),
        ([request("op-1", STOP)], STOPPED, "op-1", [done("op-1", STOP)]),
        ([request("op-1", STOP, seconds_ago=3600)], STOPPED, "op-1", [done("op-1", STOP)]),
        ([request("op-1", START)], STOPPED, "", [ELSEWHERE]),
        ([request("op-1", START), request("op-2", STOP)], STOPPED, "op-2", [done("op-2", STOP)]),
        ([request("op-1", STOP, 9), request("op-2", STOP, 1)], STOPPED, "op-1", [done("op-1", STOP)]),
        ([request("op-1", STOP, 9, SEEN), request("op-2", STOP, 1)], STOPPED, "op-2", [done("op-2", STOP)]),
        ([request("op-1", STOP, outcome=SEEN)], STOPPED, "op-1", []),
        ([request("op-1", STOP, outcome=DONE)], STOPPED, "", [ELSEWHERE]),
        ([request("op-1", START)], FOREIGN, "", [replace(ELSEWHERE, detail="receiving")]),
        ([request("op-1", STOP)], {**STOPPED, "ended": "detached"}, "op-1", [done("op-1", STOP)]),
        ([request("op-1", START)], {**STOPPED, "ended": "detached"}, "", [replace(ELSEWHERE, detail="detached")]),
    ],
)
def test_changed_state_is_attributed_to_the_request_for_it(
    requests: list[SwitchRequest], state: dict[str, Any], by: str, lines: list[AuditLine]
) -> None:
    found = explain(requests, state, has_changed=True, now=NOW)
    assert (found.has_changed, found.by, list(found.lines)) == (True, by, lines)


@pytest.mark.parametrize(
    ("outcome", "lines"),
    [("", [done("op-1", STOP, "outcome unknown; 60 seconds later delivery is receiving")]), (SEEN, []), (DONE, [])],
)
def test_request_without_effect_ends_with_its_outcome(outcome: str, lines: list[AuditLine]) -> None:
    young = request("op-1", STOP, OPEN_SECONDS - 1)
    assert explain([young], RECEIVING, has_changed=False, now=NOW).requests == (young,)
    found = explain([request("op-1", STOP, OPEN_SECONDS + 1, outcome)], RECEIVING, has_changed=False, now=NOW)
    assert (found.requests, list(found.lines), found.has_changed) == ((), lines, False)


@pytest.mark.parametrize(
    ("others", "state", "has_changed", "by", "lines"),
    [
        ([], STOPPED, True, "op-1", [done("op-1", STOP)]),
        ([], STOPPED, False, None, [done("op-1", STOP)]),
        ([request("op-2", STOP, 9)], STOPPED, True, "op-1", [done("op-1", STOP)]),
        (
            [request("op-2", START)],
            RECEIVING,
            False,
            "op-2",
            [done("op-1", STOP, DONE_AND_UNDONE), done("op-2", START)],
        ),
        ([request("op-2", START, outcome=DONE)], RECEIVING, False, "op-2", [done("op-1", STOP, DONE_AND_UNDONE)]),
        ([], RECEIVING, False, "", [done("op-1", STOP, DONE_AND_UNDONE), replace(ELSEWHERE, detail="receiving")]),
    ],
    ids=["changed", "was so before", "both asked", "undone by an open request", "undone by one that is done", "undone"],
)
def test_answered_request_is_recorded_and_what_undid_it(
    others: list[SwitchRequest], state: dict[str, Any], has_changed: bool, by: str | None, lines: list[AuditLine]
) -> None:
    ours = request("op-1", STOP)
    found = explain([*others, ours], state, has_changed, NOW, answered=ours.id)
    assert list(found.lines) == lines
    assert (found.by if found.has_changed else None) == by
    assert bool(found.requests) == any(one.outcome != DONE and one.by == "op-2" for one in others)


def test_request_that_was_seen_in_effect_is_recorded_once() -> None:
    ours = request("op-1", STOP, outcome=SEEN)
    for state in (STOPPED, RECEIVING):
        found = explain([ours], state, has_changed=False, now=NOW, answered=ours.id)
        assert (found.lines, found.requests, found.has_changed) == ((), (), False)


def test_done_request_is_kept_while_another_one_is_open() -> None:
    ours, other = request("op-1", STOP), request("op-2", START)
    kept = explain([ours, other], STOPPED, has_changed=True, now=NOW, answered=ours.id).requests
    assert kept == (replace(ours, outcome=DONE), other)
    assert explain(kept, RECEIVING, has_changed=True, now=NOW, answered=other.id).requests == ()


def test_requests_of_a_document_are_read_oldest_first_without_broken_ones() -> None:
    one, two = request("op-1", STOP, 2), request("op-2", START, 1, SEEN)
    broken = {"a": 1, "b": {}, "c": {"at": NOW, "wanted": 1}, "d": {"at": "now", "wanted": STOP}}
    stored = {"requests": {two.id: two.stored(), one.id: one.stored(), **broken}}
    assert read_requests(stored) == (one, two)
    assert read_requests({}) == read_requests({"requests": 7}) == ()
