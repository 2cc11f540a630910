"""The list, the page of one message, and its download, for any published content."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from infra.messages.chunks import INLINE_BYTES
from infra.messages.cursor import Cursor
from tests.support.firestore.settings import SUBSCRIPTION
from tests.support.firestore.writer import Writer
from tests.support.viewer.list_page import HARMLESS, HOSTILE, hours_ago, ids_in
from tests.support.viewer.visitor import SCRIPT, Skeleton, Visitor, services_of
from web.messages.rows import row_html


def test_pages_have_no_gap_and_no_repetition(viewer: Visitor, writer: Writer) -> None:
    # All messages have the same time, older than those of other tests, so that the id decides the order.
    at = hours_ago(24 * 30)
    stored = set(writer.messages(120, received_at=at))
    path, seen = f"/messages?before={Cursor(at + timedelta(seconds=1), '0' * 32)}", list[str]()
    while path:
        page = viewer.get(path).text
        seen += ids_in(page)
        link = re.search(r'rel="next" href="([^"]+)"', page)
        path = link.group(1).replace("&amp;", "&") if link else ""
    assert len(seen) == 120
    assert set(seen) == stored


def test_json_rows_equal_the_page_rows(viewer: Visitor, writer: Writer) -> None:
    document = writer.message(preview="json rows")
    answer = viewer.get("/messages", SCRIPT)
    assert answer.json is not None
    row = answer.json["rows"][0]
    assert set(row) == {"id", "cursor", "deliveries", "html"}
    assert (row["id"], row["deliveries"]) == (document, 1)
    assert row["html"] in viewer.get("/messages").text


def test_subscription_argument_narrows_the_list(viewer: Visitor, writer: Writer) -> None:
    ours, other = writer.message(), writer.message(subscription="another-one")
    both = ids_in(viewer.get("/messages").text)
    assert {ours, other} <= set(both)
    assert other not in ids_in(viewer.get(f"/messages?subscription={SUBSCRIPTION}").text)


def test_list_answers_while_pubsub_is_down(viewer: Visitor) -> None:
    page = viewer.get("/messages").text
    assert '<strong class="state-word">UNKNOWN</strong>' in page


@pytest.mark.parametrize("document", ["0" * 32, "a/b", "..", "__x__", "%2e%2e", "%00", "A" * 32, "0" * 1501, "é" * 32])
def test_unknown_message_is_404(viewer: Visitor, document: str) -> None:
    for path in (f"/messages/{document}", f"/messages/{document}/data"):
        assert viewer.get(path).status_code == 404, path


@pytest.mark.parametrize(
    "cursor", ["x", "1-2", "-1-" + "0" * 32, "9" * 18 + "-" + "0" * 32, "1/../2", "\u0661-" + "0" * 32]
)
def test_invalid_cursor_is_reported(viewer: Visitor, cursor: str) -> None:
    answer = viewer.get("/messages", SCRIPT, query_string={"before": cursor})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["detail"].startswith("before: a cursor")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"hello\r\n", "text"),
        (b"\xff\xfe\x00\r\n\x80", "binary"),
        (b'{"a":1.0,"a":2}', "json"),
        (HOSTILE.encode(), "text"),
        (b"PK\x03\x04<html><script>alert(1)</script>", "text"),
    ],
)
def test_download_is_exact_and_not_opened_by_browsers(viewer: Visitor, writer: Writer, data: bytes, kind: str) -> None:
    document = writer.message(data=data, kind=kind, size_bytes=len(data))
    answer = viewer.get(f"/messages/{document}/data")
    assert (answer.status_code, answer.data) == (200, data)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{document}.bin"'
    assert viewer.get(f"/messages/{document}").status_code == 200


def test_large_payload_is_read_from_chunks(app: Flask, viewer: Visitor, writer: Writer) -> None:
    pieces = [b"a" * 900 * 1024, b"b" * 900 * 1024, b"c"]
    size = sum(map(len, pieces))
    document = writer.message(data=None, chunks=3, size_bytes=size)
    chunks = services_of(app).database.documents.collection("messages").document(document).collection("chunks")
    for index, piece in enumerate(pieces):
        chunks.document(f"{index:04d}").set({"data": piece})
    page = viewer.get(f"/messages/{document}").text
    assert "The first 128 kB of 1.8 MB are shown." in page
    assert viewer.get(f"/messages/{document}/data").data == b"".join(pieces)
    chunks.document("0000").delete()
    assert "A part of the payload has expired; the message expires soon." in viewer.get(f"/messages/{document}").text
    assert viewer.get(f"/messages/{document}/data").status_code == 410
    assert size > INLINE_BYTES
    writer.delete(document)  # a broken message would end the exports of later tests


def test_message_page_shows_every_field(viewer: Visitor, writer: Writer) -> None:
    published = hours_ago(2)
    document = writer.message(
        message_id="770001",
        ordering_key="user-7",
        attributes={"status": "FAILED", "%5F_x__": "escaped name"},
        publish_time=published,
        deliveries=3,
        delivery_attempt=2,
        sha256="ab" * 32,
        data=b'{"n":1.0}',
        kind="json",
        size_bytes=9,
    )
    page = viewer.get(f"/messages/{document}").text
    texts = Skeleton(page).texts
    for text in ("770001", "user-7", "FAILED", "status", "__x__", "ab" * 32, "×3", "Delivery attempt", SUBSCRIPTION):
        assert text in texts, f"{text} is not shown"
    assert "1.0" in texts, "numbers are shown as they were sent"


def test_drawer_gets_the_detail_part(viewer: Visitor, stranger: Visitor, writer: Writer) -> None:
    document = writer.message()
    part = viewer.get(f"/messages/{document}?part=detail").text
    assert part.startswith('<article class="detail"')
    assert part.strip() in viewer.get(f"/messages/{document}").text
    assert stranger.get(f"/messages/{document}?part=detail").status_code == 401, "a script is not sent to a form"


def _with_everything(text: str) -> dict[str, object]:
    data = text.encode()
    return {
        "message_id": text,
        "ordering_key": text,
        "attributes": {text: text},
        "subscription": text,
        "preview": text,
        "data": data,
        "size_bytes": len(data),
        "sha256": text,
        "kind": "text",
    }


def test_hostile_fields_keep_pages_intact(app: Flask, viewer: Visitor, writer: Writer) -> None:
    skeletons = []
    for text in (HARMLESS, HOSTILE):
        document = writer.message(**_with_everything(text))  # type: ignore[arg-type]
        stored = services_of(app).all_messages.get(document)
        assert stored is not None
        pages = [row_html(stored), viewer.get(f"/messages/{document}").text]
        pages += [viewer.get(f"/messages/{document}?view={view}").text for view in ("raw", "hex")]
        skeletons.append([Skeleton(page).elements for page in pages])
        writer.delete(document)
    assert skeletons[0] == skeletons[1]


def test_hostile_json_keeps_pages_intact(viewer: Visitor, writer: Writer) -> None:
    skeletons = []
    for text in (b'{"a":"b"}', b'{"</script><script>":"<img src=x onerror=alert(1)>"}'):
        document = writer.message(data=text, kind="json", size_bytes=len(text))
        skeletons.append(Skeleton(viewer.get(f"/messages/{document}").text).elements)
    assert skeletons[0] == skeletons[1]


def test_document_edited_by_hand_is_shown(app: Flask, viewer: Visitor) -> None:
    document = "f" * 32
    messages = services_of(app).database.documents.collection("messages")
    messages.document(document).set({"shard": 0, "received_at": datetime.now(UTC), "kind": 7, "attributes": "none"})
    assert viewer.get("/messages").status_code == 200
    assert viewer.get(f"/messages/{document}").status_code == 200
    messages.document(document).delete()
