"""Export of exactly what is filtered, as NDJSON or CSV: streamed, whole payloads, never much in memory.

It is bounded by what is looked at, not by what matches: a filter that matches nothing would read the whole history.
The answer has begun when something goes wrong, so a file that is cut says so in its last line.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from infra.errors import PayloadGoneError, StoreError
from infra.firestore.message_reader import MessageReader
from infra.firestore.search import SearchBounds, SearchResult
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from web.access.roles import requires, signed_in_user
from web.api import message_records
from web.filters.columns import parse_columns, whole_value
from web.filters.request_filter import pages, read_filter
from web.formats import full_text
from web.services import services

# Each message looked at is billed as a read, whether it matches or not.
BOUNDS = SearchBounds(messages=100_000, seconds=600.0)
_CSV = "text/csv; charset=utf-8; header=present"
_NDJSON = "application/x-ndjson"

Line = Callable[[Message, bytes | None], bytes]

blueprint = Blueprint("export", __name__)


@blueprint.get("/export.ndjson")
@requires("operator")
def ndjson() -> ResponseReturnValue:
    """One JSON object a line: what ``?q=&subscription=&before=`` shows in the list."""
    return _export("ndjson", _NDJSON, b"", _json_line, _cut_line)


@blueprint.get("/export.csv")
@requires("operator")
def csv() -> ResponseReturnValue:
    """One row a message, the names of the columns first; ``&columns=`` of the list come last, uncut."""
    columns = parse_columns(request.args.getlist("columns"))
    head = message_records.csv_row([*message_records.COLUMNS, *columns])

    def row(message: Message, payload: bytes | None) -> bytes:
        fields = message_records.csv_fields(message_records.record(message, payload))
        return message_records.csv_row([*fields, *(whole_value(message, payload or b"", name) for name in columns)])

    return _export("csv", _CSV, head, row, _cut_row)


def _export(ending: str, content_type: str, head: bytes, line: Line, cut: Callable[[str], bytes]) -> Response:
    _refuse_other_sites()
    wanted = read_filter(request.args)
    if request.method == "HEAD":
        return Response(content_type=content_type)  # nothing is taken along
    asked = " ".join(f"{name}={value}" for name, value in wanted.arguments.items())
    # Before the first byte: taking data along is recorded, or does not happen.
    services().audit.record(signed_in_user().name, f"message.export_{ending}", "messages", asked or "everything")
    found = pages(services().all_messages, wanted, BOUNDS)
    response = Response(_lines(services().all_messages, found, head, line, cut, _log_cut()), content_type=content_type)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    response.headers["Content-Disposition"] = f'attachment; filename="messages-{stamp}.{ending}"'
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _refuse_other_sites() -> None:
    """It only reads, but much: another site's page must not make a browser ask for it."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403, "This download was asked for by another site. Open the list here and export it from there.")


def _lines(
    store: MessageReader,
    found: Iterator[SearchResult],
    head: bytes,
    line: Line,
    cut: Callable[[str], bytes],
    log_cut: Callable[[str], None],
) -> Iterator[bytes]:
    if head:
        yield head
    position: Cursor | None = None
    gone = 0
    try:
        for page in found:
            for message in page.messages:
                payload = _payload(store, message)
                gone += payload is None
                yield line(message, payload)
                position = message.cursor
            position = page.older
        if gone:
            yield cut(f"without the payloads of {gone} messages, which are expiring")
        if position:
            yield cut(f"searched back to {full_text(position.at)}; go on with before={position}")
    except StoreError as exc:
        log_cut(str(exc))
        yield cut("the database did not answer" + (f"; go on with before={position}" if position else ""))


def _payload(store: MessageReader, message: Message) -> bytes | None:
    """The whole payload; None when a part has expired already, which says nothing of other messages."""
    try:
        return store.payload(message)
    except PayloadGoneError:
        return None


def _log_cut() -> Callable[[str], None]:
    log, who = services().log, signed_in_user().name
    return lambda reason: log.error("an export was cut", who=who, reason=reason)


def _json_line(message: Message, payload: bytes | None) -> bytes:
    return message_records.ndjson_line(message_records.record(message, payload))


def _cut_line(reason: str) -> bytes:
    return message_records.ndjson_line({"cut": reason})


def _cut_row(reason: str) -> bytes:
    return message_records.csv_row([f"CUT: {reason}"])
