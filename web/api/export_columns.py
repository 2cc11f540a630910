"""The columns of the CSV export, and its rows; also the lines of NDJSON (of ``infra.messages.record``). Pure."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

from web.api.csv_cells import cell, long_cell

_LINE_END = b"\r\n"
COLUMNS = (
    "id",
    "subscription",
    "message_id",
    "publish_time",
    "received_at",
    "ordering_key",
    "attributes",
    "kind",
    "severity",
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
    csv.writer(out, lineterminator=_LINE_END.decode()).writerow(texts)
    # JSON text stored by hand may have half a surrogate pair, which UTF-8 cannot encode.
    return out.getvalue().encode(errors="replace")


def long_csv_row(
    fields: dict[str, object],
    texts: Iterable[str],
    *,
    is_text: bool,
    values: Sequence[object],
    write: Callable[[str], str] = cell,
) -> Iterator[bytes]:
    """Yield the row of a record; its payload comes in pieces, as text or base64; ``values`` are its last cells."""
    before = csv_fields(fields)[: COLUMNS.index("data")]
    yield csv_row(before, write).removesuffix(_LINE_END) + (b',"' if is_text else b',,"')
    for text in long_cell(texts) if is_text else texts:
        yield text.replace('"', '""').encode(errors="replace")
    yield (b'",' if is_text else b'"') + (b"," + csv_row(values, write) if values else _LINE_END)


def csv_fields(fields: dict[str, object]) -> list[object]:
    """Return the cells of a record, in the order of COLUMNS."""
    flat = {**fields, "attributes": json.dumps(fields["attributes"], ensure_ascii=False)}
    return [flat[name] for name in COLUMNS]
