"""The requests to start or stop delivery that are under way, and the changes that they explain. Pure.

A request is in ``subscriptions/{id}`` before Pub/Sub is asked. Each observation of the subscription, by any process,
therefore knows every person who may have caused a change, also when the asking process has died.

======================  ==============================================================================
an observation finds    then
======================  ==============================================================================
a new state             its author is the oldest open request that asked for it, otherwise no user
an open request that    it stays for a while: a call that timed out can still take effect
did not take effect
a request older than    it ends; the audit says that its outcome is unknown, unless it has an outcome
OPEN_SECONDS
======================  ==============================================================================
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from google.cloud.firestore import SERVER_TIMESTAMP

# Far above the timeout of a call: the call of an older request does not take effect any longer.
OPEN_SECONDS = 60
DONE = "done"
DONE_AND_UNDONE = "done, and changed again at once"
UNKNOWN = "outcome unknown"
SEEN = "seen"
# If several requests wanted the observed state, the author is likely one whose effect nobody has seen yet: the others
# explained an earlier change.
_PREFERENCE = {"": 0, SEEN: 1, DONE: 2}


@dataclass(frozen=True, slots=True)
class SwitchRequest:
    """The user ``by`` asked for a state with the fields ``wanted``. ``at`` is Firestore's time, or SERVER_TIMESTAMP.

    ``outcome`` is empty; ``seen`` once the wanted state was observed; ``done`` once Pub/Sub answered. A request that is
    done is kept while another one is open, because it can explain the state that the other one finds.
    """

    id: str
    by: str
    wanted: Mapping[str, Any]
    at: Any = SERVER_TIMESTAMP
    outcome: str = ""

    @property
    def action(self) -> str:
        """The action in the audit."""
        return "delivery.start" if self.wanted.get("observed_running") else "delivery.stop"

    def is_fulfilled_by(self, state: Mapping[str, Any]) -> bool:
        """Whether a state has all wanted fields."""
        return all(state.get(name) == value for name, value in self.wanted.items())

    def is_older_than(self, seconds: float, now: datetime) -> bool:
        """Whether the request was made that long ago; ``now`` is Firestore's time."""
        return isinstance(self.at, datetime) and now - self.at > timedelta(seconds=seconds)

    def stored(self) -> dict[str, Any]:
        """Return the fields of the request in Firestore."""
        return {"by": self.by, "at": self.at, "wanted": dict(self.wanted), "outcome": self.outcome}


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An entry for the audit; ``by`` is empty for a change made outside Subscope."""

    by: str
    action: str
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The outcome of an observation: the author of the state ("" if no user), the open requests, the audit's lines.

    ``has_changed`` is True if the state has a new author.
    """

    has_changed: bool
    by: str
    requests: tuple[SwitchRequest, ...]
    lines: tuple[AuditLine, ...]


def read_requests(stored: Mapping[str, Any]) -> tuple[SwitchRequest, ...]:
    """Return the requests of a stored document, oldest first. An edit in the console may have broken some."""
    found = stored.get("requests")
    requests = []
    for name, fields in found.items() if isinstance(found, dict) else ():
        if not isinstance(fields, dict):
            continue
        at, wanted = fields.get("at"), fields.get("wanted")
        if isinstance(at, datetime) and isinstance(wanted, dict):
            by, outcome = str(fields.get("by", "")), str(fields.get("outcome", ""))
            requests.append(SwitchRequest(str(name), by, wanted, at, outcome))
    return tuple(sorted(requests, key=lambda request: request.at))


def explain(
    requests: Iterable[SwitchRequest],
    state: Mapping[str, Any],
    has_changed: bool,
    now: datetime,
    answered: str = "",
) -> Explanation:
    """Explain an observed state by the requests, oldest first.

    ``has_changed`` tells whether the state differs from the stored one. ``answered`` is the id of a request that
    Pub/Sub has just answered; or of one without an answer, if the observed state is the one that it wanted.
    """
    known = {request.id: request for request in requests}
    lines: list[AuditLine] = []
    ours = known.get(answered)
    # If its effect was seen, the changes since then were seen as well.
    is_undone = ours is not None and not ours.outcome and not ours.is_fulfilled_by(state)
    if ours is not None:
        if not ours.outcome:
            lines.append(AuditLine(ours.by, ours.action, DONE_AND_UNDONE if is_undone else DONE))
        known[ours.id] = replace(ours, outcome=DONE)
    by = ""
    if has_changed or is_undone:
        author = _author(known.values(), state, ours, is_undone)
        if author is None:
            lines.append(AuditLine("", "delivery.changed_elsewhere", state_name(state)))
        else:
            by = author.by
            if not author.outcome and author is not ours:
                lines.append(AuditLine(author.by, author.action, DONE))
                known[author.id] = replace(author, outcome=SEEN)
    kept = []
    for request in known.values():
        if not request.is_older_than(OPEN_SECONDS, now):
            kept.append(request)
        elif not request.outcome:
            detail = f"{UNKNOWN}; {OPEN_SECONDS} seconds later delivery is {state_name(state)}"
            lines.append(AuditLine(request.by, request.action, detail))
    open_requests = tuple(kept) if any(request.outcome != DONE for request in kept) else ()
    return Explanation(has_changed or is_undone, by, open_requests, tuple(lines))


def _author(
    requests: Iterable[SwitchRequest], state: Mapping[str, Any], ours: SwitchRequest | None, is_undone: bool
) -> SwitchRequest | None:
    """Return the request that explains a state, or None."""
    if ours is not None and ours.is_fulfilled_by(state):
        return ours
    # A request that Pub/Sub has answered cannot take effect again, so it explains a state only if ours was undone.
    candidates = [one for one in requests if one.is_fulfilled_by(state) and (is_undone or one.outcome != DONE)]
    return min(candidates, key=lambda one: _PREFERENCE.get(one.outcome, 0), default=None)


def state_name(state: Mapping[str, Any]) -> str:
    """Return the name of a state for the audit."""
    running = "receiving" if state["observed_running"] else "stopped"
    return str(state["unreadable"] or state.get("ended") or running)
