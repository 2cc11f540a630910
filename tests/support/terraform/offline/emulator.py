"""Topics and subscriptions in a Pub/Sub emulator, through the REST API that the real provider uses."""

import json
import re
import urllib.error
import urllib.request
from typing import Any

from tests.support.terraform.offline.blocks import Block
from tests.support.terraform.offline.wire import UNKNOWN

KINDS = {"google_pubsub_topic": "topics", "google_pubsub_subscription": "subscriptions"}
# Terraform's attributes that the API does not have.
_SKIPPED = {"id", "name", "project", "effective_labels", "terraform_labels", "deletion_policy", "tags", "timeouts"}
_TIMEOUT_SECONDS = 10
# The emulator's limit; the service allows 31 days.
_MAX_RETENTION_SECONDS = 7 * 86_400
Values = dict[str, Any]


class PubsubEmulator:
    """The emulator at a base URL. Every method raises OSError or RuntimeError with the emulator's answer."""

    def __init__(self, base: str) -> None:
        self._base = base

    def read(self, kind: str, block: Block, state: Values) -> Values | None:
        """Return a resource's state as it is now; None if it does not exist."""
        document = self._call("GET", _path(kind, state))
        return None if document is None else _from_rest(block, state, document)

    def apply(self, kind: str, block: Block, old: Values | None, new: Values | None) -> None:
        """Create, change or delete a resource."""
        if new is None:
            self._call("DELETE", _path(kind, old or {}))
            return
        body = _to_rest(block, new)
        if old is None:
            self._call("PUT", _path(kind, new), body)
            return
        before = _to_rest(block, old)
        changed = sorted(name for name in {*body, *before} if body.get(name) != before.get(name))
        if changed:
            self._call("PATCH", _path(kind, new), {KINDS[kind][:-1]: body, "updateMask": ",".join(changed)})

    def _call(self, method: str, path: str, body: Values | None = None) -> Values | None:
        request = urllib.request.Request(
            f"{self._base}/v1/{path}",
            method=method,
            headers={"content-type": "application/json"},
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
                document: Values = json.load(answer)
                return document
        except urllib.error.HTTPError as exc:
            with exc:
                if exc.code == 404 and method in ("GET", "DELETE"):
                    return None
                raise RuntimeError(f"{method} {path}: {exc.code} {exc.read().decode()}") from exc


def _path(kind: str, values: Values) -> str:
    return f"projects/{values['project']}/{KINDS[kind]}/{values['name']}"


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda match: match[1].upper(), name)


def _to_rest(block: Block, values: Values) -> Values:
    body: Values = {}
    for name in block["attributes"]:
        value = values.get(name)
        if name not in _SKIPPED and value not in (None, "") and not isinstance(value, type(UNKNOWN)):
            body[_camel(name)] = value
    if int(body.get("messageRetentionDuration", "0s")[:-1]) > _MAX_RETENTION_SECONDS:
        body["messageRetentionDuration"] = f"{_MAX_RETENTION_SECONDS}s"
    for name, nested in block["block_types"].items():
        if name not in _SKIPPED and values.get(name):
            body[_camel(name)] = _to_rest(nested["block"], values[name][0])
    return body


def _from_rest(block: Block, values: Values, document: Values) -> Values:
    for name in block["attributes"]:
        # The emulator's own limit must not look like a change.
        if name not in _SKIPPED and name != "message_retention_duration" and _camel(name) in document:
            values[name] = document[_camel(name)]
    for name, nested in block["block_types"].items():
        if name in _SKIPPED:
            continue
        inner = document.get(_camel(name))
        if name == "expiration_policy" and inner == {}:
            inner = {"ttl": ""}
        empty = dict.fromkeys(nested["block"]["attributes"]) | {key: [] for key in nested["block"]["block_types"]}
        values[name] = [_from_rest(nested["block"], empty, inner)] if inner else []
    return values
