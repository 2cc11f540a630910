"""A stored message as others take it along: one JSON object, one line of NDJSON, one row of CSV. Pure."""

import base64
import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime

from infra.messages.message import Message

# What a spreadsheet takes for a formula (owasp.org/www-community/attacks/CSV_Injection), its wide forms included.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
COLUMNS = (
    "id",
    "subscription",
    "message_id",
    "publish_time",
    "received_at",
    "ordering_key",
    "attributes",
    "kind",
    "size_bytes",
    "sha256",
    "deliveries",
    "delivery_attempt",
    "expire_at",
    "data",
    "data_base64",
)


def summary(message: Message) -> dict[str, object]:
    """All but the payload, of which there is the preview."""
    return {**_fields(message), "preview": message.preview, "cursor": str(message.cursor)}


def record(message: Message, payload: bytes | None) -> dict[str, object]:
    """A message with its whole payload: ``data`` when it is UTF-8, ``data_base64`` otherwise; the other one is null.

    Both are null when the payload is None: it is gone.
    """
    text = None if payload is None else _text(payload)
    encoded = None if text is not None or payload is None else base64.b64encode(payload).decode()
    return {**_fields(message), "data": text, "data_base64": encoded}


def ndjson_line(fields: dict[str, object]) -> bytes:
    """One line: ASCII, so that no reader takes a character of a publisher's for a line's end."""
    return json.dumps(fields).encode() + b"\n"


def csv_row(values: Iterable[object]) -> bytes:
    """One row as RFC 4180 quotes it, with formulas defused."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_cell(value) for value in values])
    # Half a surrogate pair may stand in a JSON text somebody stored by hand; a file is UTF-8.
    return out.getvalue().encode(errors="replace")


def csv_fields(fields: dict[str, object]) -> list[object]:
    """The cells of a record, in the order of COLUMNS."""
    flat = {**fields, "attributes": json.dumps(fields["attributes"], ensure_ascii=False)}
    return [flat[name] for name in COLUMNS]


def _fields(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "subscription": message.subscription,
        "message_id": message.message_id,
        "publish_time": _time(message.publish_time),
        "received_at": _time(message.received_at),
        "ordering_key": message.ordering_key,
        "attributes": dict(message.attributes),
        "kind": message.kind,
        "size_bytes": message.size_bytes,
        "sha256": message.sha256,
        "deliveries": message.deliveries,
        "delivery_attempt": message.delivery_attempt,
        "expire_at": _time(message.expire_at),
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def _text(payload: bytes) -> str | None:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    return f"'{value}" if value[:1] in _FORMULA else value
