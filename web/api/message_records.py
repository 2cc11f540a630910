"""A stored message for other programs: a JSON object, a line of NDJSON, a row of CSV. Pure."""

import base64
import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime

from infra.messages.message import Message

# Characters that begin a formula in spreadsheets, wide forms included (owasp.org/www-community/attacks/CSV_Injection).
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
    """Return all fields except the payload, with the preview in its place."""
    return {**_fields(message), "preview": message.preview, "cursor": str(message.cursor)}


def record(message: Message, payload: bytes | None) -> dict[str, object]:
    """Return all fields and the whole payload: ``data`` if it is UTF-8, otherwise ``data_base64``; the other is None.

    Both are None if ``payload`` is None: it has expired, or is masked for the reader.
    """
    text = None if payload is None else _text(payload)
    encoded = None if text is not None or payload is None else base64.b64encode(payload).decode()
    return {**_fields(message), "data": text, "data_base64": encoded}


def ndjson_line(fields: dict[str, object]) -> bytes:
    """Return one line of ASCII, because some readers treat characters such as U+2028 as the end of a line."""
    return json.dumps(fields).encode() + b"\n"


def csv_row(values: Iterable[object]) -> bytes:
    """Return one row, quoted as in RFC 4180, in which no cell begins a formula."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_cell(value) for value in values])
    # JSON text stored by hand may have half a surrogate pair, which UTF-8 cannot encode.
    return out.getvalue().encode(errors="replace")


def csv_fields(fields: dict[str, object]) -> list[object]:
    """Return the cells of a record, in the order of COLUMNS."""
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
