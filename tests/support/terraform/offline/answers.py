"""The API's answers that differ from what was sent, and the differences that the real provider ignores. Pure.

Only a document in a string can differ: the provider gives every other argument that the API leaves out its zero value.
"""

import json
from typing import Any

DASHBOARD = "google_monitoring_dashboard"
_JSON = "dashboard_json"
Values = dict[str, Any]


def answered(kind: str, state: Values) -> Values:
    """Return a resource as the API shows it."""
    if kind != DASHBOARD or state[_JSON] is None:
        return state
    # As every proto3 message in JSON, the answer has no zero values; the API adds names and defaults.
    document = {**_without_zeros(json.loads(state[_JSON])), "etag": "e", "name": "projects/1/dashboards/2"}
    return {**state, _JSON: json.dumps(document)}


def unchanged(kind: str, old: Values, planned: Values) -> Values:
    """Return the plan with the old value of an argument where the provider sees no difference."""
    if kind != DASHBOARD or not isinstance(planned[_JSON], str) or old[_JSON] is None:
        return planned
    wanted = json.loads(planned[_JSON])
    same = _only_wanted(json.loads(old[_JSON]), wanted) == wanted
    return {**planned, _JSON: old[_JSON]} if same else planned


def _without_zeros(value: Any) -> Any:
    if isinstance(value, dict):
        shown = {key: _without_zeros(inner) for key, inner in value.items()}
        return {key: inner for key, inner in shown.items() if inner not in (0, "", False, None, [])}
    return [_without_zeros(inner) for inner in value] if isinstance(value, list) else value


def _only_wanted(old: Any, wanted: Any) -> Any:
    """Leave out what the API added, at any depth, and nothing that it left out."""
    if isinstance(old, dict) and isinstance(wanted, dict):
        return {key: _only_wanted(inner, wanted[key]) for key, inner in old.items() if wanted.get(key) is not None}
    if isinstance(old, list) and isinstance(wanted, list) and len(old) == len(wanted):
        return [_only_wanted(inner, wanted[at]) for at, inner in enumerate(old)]
    return old
