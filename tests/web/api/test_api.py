"""The JSON API: its description matches its routes, every answer has its described shape, every error the same one."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from infra.accounts.user import ROLES
from infra.version import VERSION
from tests.support.firestore.writer import Writer
from tests.support.viewer.app import rules
from tests.support.viewer.topics import Topics, store
from tests.support.viewer.visitor import PAGE, SCRIPT, Visitor
from web.api.openapi import document
from web.api.views import DEFAULT_LIMIT, MAX_LIMIT
from web.delivery.words import STATES

BASE = "/api/v1"
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    part: Any = document()
    for step in schema["$ref"].removeprefix("#/").split("/"):
        part = part[step]
    return dict(part)


def problems(value: object, schema: dict[str, Any], where: str = "answer") -> list[str]:
    """Return how a value differs from its schema, for the part of JSON Schema that the description uses."""
    schema = resolved(schema)
    if "anyOf" in schema:
        tried = [problems(value, alternative, where) for alternative in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where} is {value!r}"]
    wanted = TYPES[schema["type"]]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        return [f"{where} is {type(value).__name__}, not {schema['type']}"]
    if isinstance(value, dict):
        return _object_problems(value, schema, where)
    if isinstance(value, list):
        items = enumerate(value)
        return [text for index, item in items for text in problems(item, schema["items"], f"{where}[{index}]")]
    if schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", str(value)):
        return [f"{where} is {value!r}, not a time"]
    return [f"{where} is {value}"] if isinstance(value, int) and value < schema.get("minimum", value) else []


def _object_problems(value: dict[str, object], schema: dict[str, Any], where: str) -> list[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    found = [f"{where} has no {name}" for name in schema.get("required", []) if name not in value]
    for name, inner in value.items():
        if name in known:
            found += problems(inner, known[name], f"{where}.{name}")
        elif others is False:
            found.append(f"{where} has {name}")
        elif isinstance(others, dict):
            found += problems(inner, others, f"{where}.{name}")
    return found


def check(answer: TestResponse, path: str, method: str = "get") -> Any:
    """Return the answer's JSON; assert that it is as described for its status."""
    described = document()["paths"][path][method]["responses"]
    assert str(answer.status_code) in described, f"{method} {path} answered {answer.status_code}"
    schema = described[str(answer.status_code)]["content"]["application/json"]["schema"]
    assert problems(answer.json, schema) == []
    return answer.json


def test_description_has_exactly_the_routes_of_the_api(app: Flask) -> None:
    described = {(path, method) for path, item in document()["paths"].items() for method in item}
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix(BASE)), method.lower())
        for rule in rules(app)
        if rule.rule.startswith(BASE)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routes


def test_references_resolve_and_paths_declare_their_parameters() -> None:
    for reference in re.findall(r"'\$ref': '([^']+)'", str(document())):
        assert resolved({"$ref": reference})
    for path, item in document()["paths"].items():
        for operation in item.values():
            parameters = [resolved(parameter) for parameter in operation["parameters"]]
            in_path = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
            assert in_path == set(re.findall(r"{(\w+)}", path)), path


def test_description_has_the_limits_states_and_roles_of_the_code() -> None:
    components = document()["components"]
    assert components["parameters"]["limit"]["schema"]["maximum"] == MAX_LIMIT
    assert str(DEFAULT_LIMIT) in components["parameters"]["limit"]["description"]
    assert set(components["schemas"]["Subscription"]["properties"]["state"]["enum"]) == set(STATES) - {"refused"}
    assert components["schemas"]["Session"]["properties"]["role"]["enum"] == list(ROLES)


def test_description_is_served_as_json(viewer: Visitor) -> None:
    assert check(viewer.get(f"{BASE}/openapi.json"), "/openapi.json") == document()


def test_session_gives_the_token_for_a_post_and_the_version(acting: Visitor) -> None:
    session = check(acting.get(f"{BASE}/session", {}), "/session")
    assert (session["user"], session["role"], session["version"]) == (acting.name, "operator", VERSION)
    path = f"{BASE}/subscriptions/x/stop"
    assert acting.client.post(path).status_code == 400
    answer = acting.client.post(path, headers={"X-CSRFToken": session["csrf_token"]})
    check(answer, "/subscriptions/{subscription}/stop", "post")
    assert answer.status_code == 404


def test_older_leads_to_the_next_page_until_the_last(viewer: Visitor, writer: Writer) -> None:
    stored = writer.messages(7, attributes={"api": "yes"}, tokens=["api=yes"], delivery_attempt=3)
    listed: list[str] = []
    before: str | None = ""
    while before is not None:
        answer = viewer.get(f"{BASE}/messages?q=api%3Dyes&subscription=builds&limit=3&before={before}", {})
        page = check(answer, "/messages")
        assert len(page["messages"]) <= 3
        listed += [message["id"] for message in page["messages"]]
        before = page["older"]
    assert sorted(listed) == sorted(stored)


@pytest.mark.parametrize(("data", "text"), [(b"\xff\x00", None), ("é".encode(), "é"), (b"", "")])
def test_message_has_its_payload_as_text_or_base64(
    viewer: Visitor, writer: Writer, data: bytes, text: str | None
) -> None:
    document_id = writer.message(data=data, attributes={"a": "b"}, ordering_key="k")
    message = check(viewer.get(f"{BASE}/messages/{document_id}", {}), "/messages/{document}")
    expected = (document_id, text, {"a": "b"}, "k")
    assert (message["id"], message["data"], message["attributes"], message["ordering_key"]) == expected
    assert (message["data_base64"] is None) == (text is not None)
    answer = viewer.get(f"{BASE}/messages/{document_id}/data")
    assert (answer.data, answer.mimetype) == (data, "application/octet-stream")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{document_id}.bin"'


def test_operator_starts_and_stops_a_subscription_and_viewer_does_not(
    acting: Visitor, reading: Visitor, topics: Topics
) -> None:
    listed = check(reading.get(f"{BASE}/subscriptions", {}), "/subscriptions")["subscriptions"]
    assert [subscription["subscription"] for subscription in listed] == [topics.name, topics.dead]
    assert listed[0]["topic"] == topics.path(topics.name)
    assert listed[0]["backlog"]["messages"] == 0
    for action, state in (("start", "receiving"), ("stop", "stopped")):
        answer = acting.post(f"{BASE}/subscriptions/{topics.dead}/{action}", {})
        data = check(answer, f"/subscriptions/{{subscription}}/{action}", "post")
        assert (data["state"], data["changed_by"]) == (state, acting.name)
        assert reading.post(f"{BASE}/subscriptions/{topics.dead}/{action}", {}).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/messages?q=kind:x", 400),
        ("GET", "/messages?before=1", 400),
        ("GET", "/messages?subscription=other", 400),
        *(("GET", f"/messages?limit={limit}", 400) for limit in ("0", "201", "-1", "x", "\u0661", "9" * 400, "")),
        ("GET", "/messages/" + "0" * 32, 404),
        ("GET", "/messages/zz/data", 404),
        ("GET", "/nowhere", 404),
        ("POST", "/messages", 405),
        ("DELETE", "/subscriptions", 405),
        ("POST", "/subscriptions/builds/start", 400),
    ],
)
def test_errors_have_one_shape_for_scripts_and_browsers(operator: Visitor, method: str, path: str, status: int) -> None:
    schema = document()["components"]["schemas"]["Error"]
    for headers in (SCRIPT, PAGE, {}):
        answer = operator.client.open(f"{BASE}{path}", method=method, headers=headers)
        assert (answer.status_code, answer.mimetype) == (status, "application/json")
        assert problems(answer.json, schema) == []
        assert answer.json is not None
        assert answer.json["error"]["status"] == status


def test_signed_out_client_gets_the_same_error_shape(stranger: Visitor) -> None:
    answer = stranger.get(f"{BASE}/messages", PAGE)
    assert answer.status_code == 401
    assert problems(answer.json, document()["components"]["schemas"]["Error"]) == []


def test_stop_answers_503_while_pubsub_is_down(operator: Visitor) -> None:
    answer = operator.post(f"{BASE}/subscriptions/builds/stop", {})
    assert answer.status_code == 503
    check(answer, "/subscriptions/{subscription}/stop", "post")


def test_hostile_text_is_returned_unchanged(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    text = "</script><script>alert(1)</script>\u2028\u202e\x00"
    stored = store(acting_app, topics.name, text.encode(), {text: text}, text)
    message = check(acting.get(f"{BASE}/messages/{stored.id}", {}), "/messages/{document}")
    assert (message["data"], message["attributes"], message["ordering_key"]) == (text, {text: text}, text)


def test_schema_checker_reports_wrong_values() -> None:
    schema = document()["components"]["schemas"]["Session"]
    assert problems({"user": "a", "role": "root", "csrf_token": 1, "version": "1", "more": 1}, schema) != []
    assert problems({"user": "a", "role": "admin", "version": "1"}, schema) == ["answer has no csrf_token"]
