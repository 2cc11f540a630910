"""Export: exactly the messages of the filter, whole payloads, CSV without formulas, and a last line if it is cut."""

import base64
import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from infra.firestore.message_reader import EVERYTHING
from infra.firestore.search import SearchBounds
from infra.messages.cursor import Cursor
from infra.messages.record import record
from infra.messages.record_parts import is_utf8
from infra.query import parse
from tests.support.firestore.writer import Writer, stored_message
from tests.support.viewer.visitor import PAGE, SCRIPT, Visitor, services_of
from web.api.export import NDJSON, csv_format, export_lines
from web.api.export_columns import COLUMNS, csv_fields, csv_row, ndjson_line
from web.filters.request_filter import RequestFilter, pages
from web.formats import full_text

FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"]


def ndjson(answer_text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer_text.splitlines()]


def rows(text: str) -> list[dict[str, str]]:
    csv.field_size_limit(20_000_000)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def listed(visitor: Visitor, query: str) -> list[str]:
    """Return the ids on all pages of the list."""
    ids: list[str] = []
    before: str | None = ""
    while before is not None:
        data = visitor.get(f"/messages?{query}" + (f"&before={before}" if before else ""), SCRIPT).json
        assert data is not None
        ids += [row["id"] for row in data["rows"]]
        before = data["older"]
    return ids


@pytest.mark.parametrize("text", FORMULAS)
def test_csv_cell_never_begins_a_formula(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(csv_row([text]).decode(), newline="")))
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=b", " =1", "1-2", 'say "x", y', "two\r\nlines", "é\u2028", "'x"])
def test_other_csv_cells_are_unchanged(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(csv_row([text]).decode(), newline="")))
    assert cell == text


def test_csv_row_is_quoted_as_in_rfc_4180() -> None:
    assert csv_row(['a"b', "c,d", "e\nf", 7, None, "g"]) == b'"a""b","c,d","e\nf",7,,g\r\n'


def test_ndjson_line_has_one_line_break_for_any_payload() -> None:
    line = ndjson_line(record(stored_message(1, data=b"x"), "a\u2028b\u0085c\r\nd".encode()))
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert json.loads(line)["data"] == "a\u2028b\u0085c\r\nd"


def test_record_has_bytes_as_base64_and_utf8_as_text() -> None:
    message = stored_message(1)
    assert (record(message, b"\xff")["data"], record(message, b"\xff")["data_base64"]) == (None, "/w==")
    assert (record(message, b"")["data"], record(message, b"")["data_base64"]) == ("", None)
    assert len(csv_fields(record(message, b"x"))) == len(COLUMNS)


@pytest.mark.parametrize(
    "query", ["q=export%3Dyes", "q=export%3Dyes -n%3D3", "q=", "q=export%3Dyes&subscription=builds"]
)
def test_export_has_the_messages_of_the_list(operator: Visitor, writer: Writer, query: str) -> None:
    for number in range(130 if query == "q=export%3Dyes" else 3):
        attributes = {"export": "yes", "n": str(number % 5)}
        writer.message(attributes=attributes, tokens=[f"{name}={value}" for name, value in attributes.items()])
    expected = listed(operator, query)
    assert len(expected) > 2
    assert [line["id"] for line in ndjson(operator.get(f"/export.ndjson?{query}").text)] == expected
    assert [row["id"] for row in rows(operator.get(f"/export.csv?{query}").text)] == expected


def test_export_continues_from_a_cursor(operator: Visitor, writer: Writer) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)
    stored = writer.messages(3, received_at=at)
    cursor = Cursor(at + timedelta(seconds=1), "0" * 32)
    lines = ndjson(operator.get(f"/export.ndjson?before={cursor}").text)
    writer.delete(*stored)  # other tests read the whole history
    assert {line["id"] for line in lines} == set(stored)


def test_export_has_whole_payloads_and_reports_an_expired_part(operator: Visitor, app: Flask, writer: Writer) -> None:
    pieces = [b"a" * 900 * 1024, b"\xff"]
    attributes = {"big": "one", "=x": "=1"}
    document = writer.message(
        data=None, chunks=2, size_bytes=900 * 1024 + 1, attributes=attributes, tokens=["big=one"], ordering_key="=k"
    )
    chunks = services_of(app).database.documents.collection("messages").document(document).collection("chunks")
    for index, piece in enumerate(pieces):
        chunks.document(f"{index:04d}").set({"data": piece})
    (line,) = ndjson(operator.get("/export.ndjson?q=big%3Done").text)
    assert base64.b64decode(line["data_base64"]) == b"".join(pieces)
    assert (line["attributes"], line["ordering_key"], line["data"]) == (attributes, "=k", None)
    (row,) = rows(operator.get("/export.csv?q=big%3Done").text)
    assert base64.b64decode(row["data_base64"]) == b"".join(pieces)
    assert (json.loads(row["attributes"]), row["ordering_key"]) == (attributes, "'=k")
    # An expired part affects only its message, and the last line reports it.
    chunks.document("0001").delete()
    older = writer.message(received_at=datetime(2019, 1, 1, tzinfo=UTC), attributes={"big": "one"}, tokens=["big=one"])
    broken, whole, last = ndjson(operator.get("/export.ndjson?q=big%3Done").text)
    assert (broken["id"], broken["data"], broken["data_base64"]) == (document, None, None)
    assert whole["id"] == older
    assert last == {"cut": "without the payloads of 1 messages, which are expiring"}
    csv_lines = operator.get("/export.csv?q=big%3Done").text.splitlines()
    assert (len(csv_lines), csv_lines[-1]) == (4, '"CUT: without the payloads of 1 messages, which are expiring"')
    writer.delete(older)  # other tests read the whole history
    for address in (f"/messages/{document}/data", f"/api/v1/messages/{document}"):
        assert operator.get(address, SCRIPT).status_code == 410


def test_export_is_a_download_and_is_audited(operator: Visitor, app: Flask) -> None:
    for ending, content_type in (
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("ndjson", "application/x-ndjson"),
    ):
        answer = operator.get(f"/export.{ending}?q=nothing-matches-this")
        assert answer.headers["Content-Type"] == content_type
        disposition = answer.headers["Content-Disposition"]
        assert re.fullmatch(rf'attachment; filename="messages-\d{{8}}T\d{{6}}Z\.{ending}"', disposition)
        entries = services_of(app).database.documents.collection("audit").stream()
        details = {entry.get("detail") for entry in entries if entry.get("what") == f"message.export_{ending}"}
        assert "q=nothing-matches-this" in details
        head = operator.client.head(f"/export.{ending}?q=only-asked", base_url=operator.base_url)
        assert (head.status_code, head.headers["Content-Type"]) == (200, content_type)
        entries = services_of(app).database.documents.collection("audit").stream()
        assert not [entry for entry in entries if entry.get("detail") == "q=only-asked"], "HEAD sends no data"
    assert operator.get("/export.csv?q=nothing-matches-this").text.strip() == ",".join(COLUMNS)


def test_csv_for_excel_has_a_mark_of_utf8_and_exact_ids(operator: Visitor, writer: Writer) -> None:
    writer.message(attributes={"city": "Zürich", "n": "-5"}, tokens=["city=Zürich"], message_id="1234567890123456")
    answer = operator.get("/export.csv?q=city%3DZürich&columns=n,city&dialect=excel")
    assert answer.data.startswith(b"\xef\xbb\xbfid,")
    (row,) = rows(answer.data.decode("utf-8-sig"))
    assert (row["message_id"], row["n"], row["city"]) == ('="1234567890123456"', "-5", "Zürich")
    (row,) = rows(operator.get("/export.csv?q=city%3DZürich").data.decode())
    assert (row["id"], row["message_id"]) == (row["id"], "1234567890123456")
    assert operator.get("/export.csv?dialect=other", SCRIPT).status_code == 400


@pytest.mark.parametrize("payload", [b'=1+1 "x"\r\n', "é☃,;".encode() * 50_000, b"\xff\x00" * 50_000, b""])
@pytest.mark.parametrize("columns", [(), ("type", "data.id")])
def test_long_line_is_the_line_in_pieces(payload: bytes, columns: tuple[str, ...]) -> None:
    message = replace(stored_message(1), attributes={"type": "=x"}, tokens=("data.id=7",))
    parts = [payload[start : start + 9_999] for start in range(0, len(payload), 9_999)]
    long = {
        form.name: b"".join(form.long_line(message, parts, is_utf8(parts))) for form in (NDJSON, csv_format(columns))
    }
    assert json.loads(long["ndjson"]) == record(message, payload)
    csv.field_size_limit(20_000_000)
    names = [*COLUMNS, *columns]
    (row,) = csv.DictReader(io.StringIO(long["csv"].decode(), newline=""), names)
    (whole,) = csv.DictReader(io.StringIO(csv_format(()).line(message, payload).decode(), newline=""), COLUMNS)
    assert row == whole | dict(zip(columns, ("'=x", "7"), strict=bool(columns)))


@pytest.mark.parametrize("query", ["q=kind:x", "before=1", "subscription=other", "q=%22"])
def test_invalid_filter_answers_400_without_a_download(operator: Visitor, query: str) -> None:
    for ending in ("csv", "ndjson"):
        answer = operator.get(f"/export.{ending}?{query}", SCRIPT)
        assert answer.status_code == 400
        assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize(
    ("text", "bounds"), [("never~there", SearchBounds(messages=250)), ("", SearchBounds(seconds=0))]
)
def test_export_stops_at_its_bounds_and_says_where_to_continue(
    app: Flask, writer: Writer, text: str, bounds: SearchBounds
) -> None:
    at = datetime(2020, 1, 1, tzinfo=UTC)
    stored = [writer.message(received_at=at + timedelta(seconds=number)) for number in range(300)]
    store, start = services_of(app).all_messages, Cursor(at + timedelta(seconds=300), "0" * 32)
    wanted = RequestFilter(text, parse(text, at), EVERYTHING, start)
    results = list(pages(store, wanted, bounds))
    lines = list(export_lines(NDJSON, store, iter(results), lambda _: None))
    end = results[-1].older
    older = list(pages(store, replace(wanted, before=end), bounds))[-1]
    writer.delete(*stored)  # other tests read the whole history
    assert sum(page.looked_at for page in results) == (250 if text else 101)
    assert len(lines) == (1 if text else 101)
    second = 50 if text else 200
    reason = f"searched back to {full_text(at + timedelta(seconds=second))}; go on with before={end}"
    assert json.loads(lines[-1]) == {"cut": reason}
    assert older.looked_at == (50 if text else 101)


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_another_sites_page_gets_no_export(operator: Visitor, app: Flask, ending: str) -> None:
    address = f"/export.{ending}?q=asked-by-another-site"
    answer = operator.get(address, {**PAGE, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "asked for by another site" in answer.text
    entries = services_of(app).database.documents.collection("audit").stream()
    assert not any("another-site" in entry.get("detail") for entry in entries if entry.get("what").endswith(ending))
    for headers in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        assert operator.get(address, {**PAGE, **headers}).status_code == 200
