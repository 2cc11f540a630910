"""Export the messages of a filter as NDJSON or CSV: streamed, with whole payloads, one page of messages in memory.

A payload over 1 MiB is read and sent in pieces.

The bounds count the messages examined, not those that match: otherwise a filter without matches would read the whole
history. An error can only occur after the answer has begun, so the last line of an incomplete file says why.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from infra.errors import InputError, PayloadGoneError, StoreError
from infra.firestore.message_reader import MessageReader
from infra.firestore.pace import FULL_SPEED
from infra.firestore.pace import Pace as ReadPace
from infra.firestore.search import SearchBounds, SearchResult
from infra.messages.cursor import Cursor
from infra.messages.message import MAX_PARSED_BYTES, Message
from infra.messages.record import record
from infra.messages.record_parts import base64_texts, is_utf8, record_parts, texts
from web.access.cpu_share import Pace
from web.access.roles import requires, signed_in_user
from web.api import export_columns
from web.api.csv_cells import cell, excel_cell
from web.filters.columns import parse_columns, whole_value
from web.filters.request_filter import RequestFilter, pages, read_filter
from web.formats import full_text
from web.http.client_socket import leaving
from web.http.memory_budget import STREAMED_BYTES
from web.services import services

UTF8_MARK = "\ufeff".encode()
# Firestore bills a read for each message examined, whether it matches or not.
BOUNDS = SearchBounds(messages=100_000, seconds=600.0)

blueprint = Blueprint("export", __name__)


@dataclass(frozen=True)
class ExportFormat:
    """How a file is written: ``line`` takes a message and its payload, ``last_line`` the reason why a file is cut.

    ``long_line`` takes the payload's parts and whether they are text, and returns the line in pieces.
    """

    name: str
    content_type: str
    head: bytes
    line: Callable[[Message, bytes | None], bytes]
    long_line: Callable[[Message, Iterable[bytes], bool], Iterator[bytes]]
    last_line: Callable[[str], bytes]


@blueprint.get("/export.ndjson")
@requires("operator")
def ndjson() -> ResponseReturnValue:
    """Send one JSON object a line, for the messages that ``?q=&subscription=&before=`` shows in the list."""
    return _export(NDJSON)


@blueprint.get("/export.csv")
@requires("operator")
def csv() -> ResponseReturnValue:
    """Send a row of column names and one row a message; the list's ``&columns=`` come last, with whole values.

    ``&dialect=excel`` is for opening the file in Excel, which does not read UTF-8 and long numbers by itself.
    """
    columns, dialect = parse_columns(request.args.getlist("columns")), request.args.get("dialect", "")
    if dialect not in ("", "excel"):
        raise InputError("dialect", f"is excel, or left out; found {dialect[:20]!r}.")
    return _export(csv_format(columns, UTF8_MARK, excel_cell) if dialect else csv_format(columns))


NDJSON = ExportFormat(
    name="ndjson",
    content_type="application/x-ndjson",
    head=b"",
    line=lambda message, payload: export_columns.ndjson_line(record(message, payload)),
    long_line=lambda message, parts, is_text: chain(record_parts(message, parts, is_text=is_text), (b"\n",)),
    last_line=lambda reason: export_columns.ndjson_line({"cut": reason}),
)


def csv_format(columns: Sequence[str], mark: bytes = b"", write: Callable[[str], str] = cell) -> ExportFormat:
    """Return the format with the list's columns behind its own; ``write`` makes a cell of a text."""

    def row(message: Message, payload: bytes | None) -> bytes:
        fields = export_columns.csv_fields(record(message, payload))
        values = [whole_value(message, payload or b"", name) for name in columns]
        return export_columns.csv_row([*fields, *values], write)

    def long_row(message: Message, parts: Iterable[bytes], is_text: bool) -> Iterator[bytes]:
        pieces = texts(parts) if is_text else base64_texts(parts)
        values = [whole_value(message, None, name) for name in columns]
        return export_columns.long_csv_row(record(message, None), pieces, is_text=is_text, values=values, write=write)

    return ExportFormat(
        name="csv",
        content_type="text/csv; charset=utf-8; header=present",
        head=mark + export_columns.csv_row([*export_columns.COLUMNS, *columns], write),
        line=row,
        long_line=long_row,
        last_line=lambda reason: export_columns.csv_row([f"CUT: {reason}"]),
    )


def _export(form: ExportFormat) -> Response:
    _refuse_other_sites()
    wanted = read_filter(request.args)
    if request.method == "HEAD":
        return Response(content_type=form.content_type)  # no data leaves, so nothing is recorded
    person, shares = signed_in_user().name, services().shares
    with ExitStack() as stack:
        stack.enter_context(shares.exports.held(person))
        stack.enter_context(services().payload_memory.held(person, STREAMED_BYTES))
        response = _file(form, wanted, Pace(shares.background.of(person), leaving(request.environ)))
        place = stack.pop_all()
    # A generator that was never started runs no code at its end: then the answer itself gives place and memory back.
    response.response = _holding(place, response.iter_encoded())
    response.call_on_close(place.close)
    return response


def _holding(place: ExitStack, lines: Iterable[bytes]) -> Iterator[bytes]:
    with place:
        yield from lines


def _file(form: ExportFormat, wanted: RequestFilter, pace: Pace) -> Response:
    arguments = " ".join(f"{name}={value}" for name, value in wanted.arguments.items())
    # When nothing refuses the export any longer, and before its first byte: without the record there is no export.
    services().audit.record(signed_in_user().name, f"message.export_{form.name}", "messages", arguments or "everything")
    results = pages(services().all_messages, wanted, BOUNDS, pace)
    lines = export_lines(form, services().all_messages, results, _error_logger(), pace)
    response = Response(lines, content_type=form.content_type)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    response.headers["Content-Disposition"] = f'attachment; filename="messages-{stamp}.{form.name}"'
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _refuse_other_sites() -> None:
    """Refuse a download that another site's page makes a browser ask for: it changes nothing, but it is expensive."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403, "This download was asked for by another site. Open the list here and export it from there.")


def export_lines(
    form: ExportFormat,
    store: MessageReader,
    results: Iterator[SearchResult],
    log_error: Callable[[str], None],
    pace: ReadPace = FULL_SPEED,
) -> Iterator[bytes]:
    """Yield the lines of a file; the last one says why it is incomplete, if it is."""
    deadline = time.monotonic() + BOUNDS.seconds
    if form.head:
        yield form.head
    position: Cursor | None = None
    incomplete = 0
    try:
        for result in results:
            for message in result.messages:
                if not pace.goes_on(deadline):
                    break
                incomplete += yield from _line_of(form, store, message)
                position = message.cursor
            else:
                position = result.older
                continue
            break
        if incomplete:
            yield form.last_line(f"without the payloads of {incomplete} messages, which are expiring")
        if position:
            yield form.last_line(f"searched back to {full_text(position.at)}; go on with before={position}")
    except StoreError as exc:
        log_error(str(exc))
        yield form.last_line("the database did not answer" + (f"; go on with before={position}" if position else ""))


def _line_of(form: ExportFormat, store: MessageReader, message: Message) -> Generator[bytes, None, bool]:
    """Yield the line of a message; return whether its payload is missing, which may differ for the next message."""
    has_begun = False
    try:
        for piece in _pieces(form, store, message):
            has_begun = True
            yield piece
    except StoreError as exc:
        if has_begun:
            yield b"\n"  # the line is incomplete, and the next one says why
            raise
        if not isinstance(exc, PayloadGoneError):
            raise
        yield form.line(message, None)
        return True
    return False


def _pieces(form: ExportFormat, store: MessageReader, message: Message) -> Iterator[bytes]:
    if message.size_bytes <= MAX_PARSED_BYTES:
        yield form.line(message, store.payload(message))
        return
    is_text = is_utf8(store.payload_parts(message))
    yield from form.long_line(message, store.payload_parts(message), is_text)


def _error_logger() -> Callable[[str], None]:
    # Bound now: the stream has no request when it runs.
    log, who = services().log, signed_in_user().name
    return lambda reason: log.error("An export ended early.", who=who, reason=reason)
