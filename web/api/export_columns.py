"""The columns of the CSV export, and its rows; also the lines of NDJSON (of ``infra.messages.record``). Pure."""

import csv
import io
import json
from collections.abc import Callable, Iterable

from web.api.csv_cells import cell

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


def ndjson_line(fields: dict[str, object]) -> bytes:
    """Return one line of ASCII, because some readers treat characters such as U+2028 as the end of a line."""
    return json.dumps(fields).encode() + b"\n"


def csv_row(values: Iterable[object], write: Callable[[str], str] = cell) -> bytes:
    """Return one row, quoted as in RFC 4180; ``write`` makes a cell of a text."""
    out = io.StringIO()
    texts = ["" if value is None else write(value) if isinstance(value, str) else str(value) for value in values]
    csv.writer(out, lineterminator="\r\n").writerow(texts)
    # JSON text stored by hand may have half a surrogate pair, which UTF-8 cannot encode.
    return out.getvalue().encode(errors="replace")


def csv_fields(fields: dict[str, object]) -> list[object]:
    """Return the cells of a record, in the order of COLUMNS."""
    flat = {**fields, "attributes": json.dumps(fields["attributes"], ensure_ascii=False)}
    return [flat[name] for name in COLUMNS]
