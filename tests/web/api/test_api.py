"""The JSON API: what is described is what is there; every answer has its described shape, every error the same one."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.firestore.writer import Writer
from tests.support.viewer.app import rules
from tests.support.viewer.topics import Topics, store
from tests.support.viewer.visitor import PAGE, SCRIPT, Visitor
from web.api.openapi import document

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
    found: Any = document()
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def problems(value: object, schema: dict[str, Any], where: str = "answer") -> list[str]:
    """What of a value is not as its schema says: the few words of JSON Schema that the description uses."""
    schema = resolved(schema)
    if "anyOf" in schema:
        tried = [problems(value, one, where) for one in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where} is {value!r}"]
    wanted = TYPES[schema["type"]]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        return [f"{where} is {type(value).__name__}, not {schema['type']}"]
    if isinstance(value, dict):
        return _object_problems(value, schema, where)
    if isinstance(value, list):
        return [one for index, item in enumerate(value) for one in problems(item, schema["items"], f"{where}[{index}]")]
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
    """The answer's JSON, which must be as described for its status."""
    described = document()["paths"][path][method]["responses"]
    assert str(answer.status_code) in described, f"{method} {path} answered {answer.status_code}"
    schema = described[str(answer.status_code)]["content"]["application/json"]["schema"]
    assert problems(answer.json, schema) == []
    return answer.json


def test_the_description_has_every_route_and_no_other(app: Flask) -> None:
    described = {(path, method) for path, item in document()["paths"].items() for method in item}
    there = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix(BASE)), method.lower())
        for rule in rules(app)
        if rule.rule.startswith(BASE)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == there


def test_every_reference_leads_somewhere_and_paths_name_their_parameters() -> None:
    found = document()
    for reference in re.findall(r"'\$ref': '([^']+)'", str(found)):
        assert resolved({"$ref": reference})
    for path, item in found["paths"].items():
        for operation in item.values():
            named = {one["name"] for one in map(resolved, operation["parameters"]) if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path


def test_the_description_is_served(viewer: Visitor) -> None:
    assert check(viewer.get(f"{BASE}/openapi.json"), "/openapi.json") == document()


def test_the_session_gives_the_token_for_a_post(acting: Visitor) -> None:
    found = check(acting.get(f"{BASE}/session", {}), "/session")
    assert (found["user"], found["role"]) == (acting.name, "operator")
    path = f"{BASE}/subscriptions/x/stop"
    assert acting.client.post(path).status_code == 400
    answer = acting.client.post(path, headers={"X-CSRFToken": found["csrf_token"]})
    check(answer, "/subscriptions/{subscription}/stop", "post")
    assert answer.status_code == 404


def test_messages_page_by_page(viewer: Visitor, writer: Writer) -> None:
    stored = writer.messages(7, attributes={"api": "yes"}, tokens=["api=yes"], delivery_attempt=3)
    seen: list[str] = []
    before: str | None = ""
    while before is not None:
        answer = viewer.get(f"{BASE}/messages?q=api%3Dyes&subscription=builds&limit=3&before={before}", {})
        page = check(answer, "/messages")
        assert len(page["messages"]) <= 3
        seen += [one["id"] for one in page["messages"]]
        before = page["older"]
    assert sorted(seen) == sorted(stored)


@pytest.mark.parametrize(("data", "text"), [(b"\xff\x00", None), ("é".encode(), "é"), (b"", "")])
def test_one_message(viewer: Visitor, writer: Writer, data: bytes, text: str | None) -> None:
    one = writer.message(data=data, attributes={"a": "b"}, ordering_key="k")
    found = check(viewer.get(f"{BASE}/messages/{one}", {}), "/messages/{document}")
    assert (found["id"], found["data"], found["attributes"], found["ordering_key"]) == (one, text, {"a": "b"}, "k")
    assert (found["data_base64"] is None) == (text is not None)
    answer = viewer.get(f"{BASE}/messages/{one}/data")
    assert (answer.data, answer.mimetype) == (data, "application/octet-stream")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{one}.bin"'


def test_subscriptions_start_and_stop(acting: Visitor, reading: Visitor, topics: Topics) -> None:
    found = check(reading.get(f"{BASE}/subscriptions", {}), "/subscriptions")["subscriptions"]
    assert [one["subscription"] for one in found] == [topics.name, topics.dead]
    assert found[0]["topic"] == topics.path(topics.name)
    assert found[0]["backlog"]["messages"] == 0
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
def test_every_error_has_one_shape_for_browsers_too(operator: Visitor, method: str, path: str, status: int) -> None:
    schema = document()["components"]["schemas"]["Error"]
    for headers in (SCRIPT, PAGE, {}):
        answer = operator.client.open(f"{BASE}{path}", method=method, headers=headers)
        assert (answer.status_code, answer.mimetype) == (status, "application/json")
        assert problems(answer.json, schema) == []
        assert answer.json is not None
        assert answer.json["error"]["status"] == status


def test_strangers_get_the_same_shape(stranger: Visitor) -> None:
    answer = stranger.get(f"{BASE}/messages", PAGE)
    assert answer.status_code == 401
    assert problems(answer.json, document()["components"]["schemas"]["Error"]) == []


def test_pubsub_that_is_away_is_told(operator: Visitor) -> None:
    answer = operator.post(f"{BASE}/subscriptions/builds/stop", {})
    assert answer.status_code == 503
    check(answer, "/subscriptions/{subscription}/stop", "post")


def test_hostile_text_comes_back_as_it_was(acting: Visitor, acting_app: Flask, topics: Topics) -> None:
    text = "</script><script>alert(1)</script>\u2028\u202e\x00"
    one = store(acting_app, topics.name, text.encode(), {text: text}, text)
    found = check(acting.get(f"{BASE}/messages/{one.id}", {}), "/messages/{document}")
    assert (found["data"], found["attributes"], found["ordering_key"]) == (text, {text: text}, text)


def test_the_checker_itself_refuses() -> None:
    schema = document()["components"]["schemas"]["Session"]
    assert problems({"user": "a", "role": "root", "csrf_token": 1, "more": 1}, schema) != []
    assert problems({"user": "a", "role": "admin"}, schema) == ["answer has no csrf_token"]
