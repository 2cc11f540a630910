"""The description of the JSON API, by hand: OpenAPI 3.1 as plain data. Pure."""

from typing import Any

MAX_LIMIT = 200
Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_TIME: Json = {"type": "string", "format": "date-time"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_TRUTH: Json = {"type": "boolean"}
_STATES = ["receiving", "elsewhere", "stopped", "missing", "denied", "unknown"]


def document() -> Json:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Subscope",
            "version": "1",
            "description": "Messages of the monitored subscriptions, and their delivery. Sign in at /login: the API "
            "takes the same cookie. A POST carries the token of /session as X-CSRFToken, and over https a Referer "
            "of this host. A field that is masked for the role viewer is ••• to a viewer, sha256 is empty then, and "
            "data is null where fields cannot be told apart.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"session": []}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "parameters": _parameters(),
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "__Host-subscope"}},
        },
    }


def _paths() -> Json:
    token, one, named = _parameter("token"), _parameter("document"), _parameter("subscription_in_path")
    listed = [_parameter(name) for name in ("q", "subscription", "before", "limit")]
    return {
        "/openapi.json": {"get": _operation("This description", {"type": "object"})},
        "/session": {"get": _operation("Who asks, and the token for POST", _ref("Session"))},
        "/messages": {"get": _operation("Messages, newest first", _ref("Messages"), listed, (400,))},
        "/messages/{document}": {"get": _operation("One message with its payload", _ref("Message"), [one], (404, 410))},
        "/messages/{document}/data": {"get": _operation("The payload, byte for byte", None, [one], (404, 410))},
        "/subscriptions": {"get": _operation("The monitored subscriptions", _ref("Subscriptions"))},
        "/subscriptions/{subscription}/start": {
            "post": _operation("Start delivery, for everyone", _ref("Subscription"), [named, token], (400, 404, 502))
        },
        "/subscriptions/{subscription}/stop": {
            "post": _operation("Stop delivery, for everyone", _ref("Subscription"), [named, token], (400, 404, 502))
        },
    }


def _operation(
    summary: str, answer: Json | None, parameters: list[Json] | None = None, more: tuple[int, ...] = ()
) -> Json:
    content = {"application/json": {"schema": answer}} if answer else {"application/octet-stream": {}}
    failed = {"description": "What went wrong", "content": {"application/json": {"schema": _ref("Error")}}}
    statuses = sorted({401, 403, 503, *more})
    return {
        "summary": summary,
        "parameters": parameters or [],
        "responses": {"200": {"description": summary, "content": content}, **{str(one): failed for one in statuses}},
    }


def _parameters() -> Json:
    return {
        "q": _argument("q", "The filter, as typed above the list", _TEXT),
        "subscription": _argument("subscription", "Only this subscription's", _TEXT),
        "before": _argument("before", "A cursor: only older ones", _TEXT),
        "limit": _argument("limit", "How many at most; 50", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}),
        "document": _place("document", "path", "A message's id, as in its address", {"pattern": "^[0-9a-f]{32}$"}),
        "subscription_in_path": _place("subscription", "path", "The id of a monitored subscription", {}),
        "token": _place("X-CSRFToken", "header", "The token of /session", {}),
    }


def _argument(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _place(name: str, where: str, description: str, more: Json) -> Json:
    return {"name": name, "in": where, "required": True, "description": description, "schema": {**_TEXT, **more}}


def _schemas() -> Json:
    head = {
        **dict.fromkeys(("id", "subscription", "message_id", "ordering_key", "sha256", "cursor"), _TEXT),
        **dict.fromkeys(("publish_time", "received_at", "expire_at"), _TIME),
        "attributes": {"type": "object", "additionalProperties": _TEXT},
        "kind": {"enum": ["json", "text", "binary", "empty"]},
        "size_bytes": _COUNT,
        "deliveries": _COUNT,
        "delivery_attempt": _or_null({"type": "integer"}),
    }
    backlog = _object(
        messages=_COUNT,
        oldest_seconds=_or_null({"type": "integer"}),
        as_of=_TIME,
        words=_TEXT,
        lost_from=_or_null(_TIME),
    )
    error = _object(status={"type": "integer"}, title=_TEXT, detail=_TEXT)
    return {
        "Summary": _object(**head, preview=_TEXT),
        "Messages": _object(messages=_list(_ref("Summary")), older=_or_null(_TEXT), looked_at=_COUNT),
        "Message": _object(**head, data=_or_null(_TEXT), data_base64=_or_null(_TEXT)),
        "Backlog": backlog,
        "Subscription": _object(
            subscription=_TEXT,
            topic=_TEXT,
            state={"enum": _STATES},
            observed_running=_TRUTH,
            changed_by=_TEXT,
            changed_at=_or_null(_TIME),
            push_endpoint=_TEXT,
            differences=_list(_TEXT),
            checked_at=_or_null(_TIME),
            warnings=_list(_TEXT),
            backlog=_or_null(_ref("Backlog")),
        ),
        "Subscriptions": _object(subscriptions=_list(_ref("Subscription"))),
        "Session": _object(user=_TEXT, role={"enum": ["viewer", "operator", "admin"]}, csrf_token=_TEXT),
        "Error": _object(error=error),
    }


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameter(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}
