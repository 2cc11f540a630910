"""Columns: names, values as sent, reasons of empty cells; the same in page, history, stream and export."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from infra.errors import InputError
from infra.firestore.encoding import Plain
from infra.logs import Logger
from infra.messages.message import Message
from tests.support.firestore.writer import Writer, stored_message
from tests.support.viewer.app import running
from tests.support.viewer.feed import Frames
from tests.support.viewer.list_page import HOSTILE
from tests.support.viewer.visitor import SCRIPT, Skeleton, Visitor, services_of
from web.filters.columns import Cell, cells, columns_text, heading, offered, parse_columns, whole_value
from web.live import frame_cache as frames_module
from web.live.recent_messages import RecentMessage
from web.messages.rows import row_html, row_with


def message(payload: object = None, **attributes: str) -> Message:
    data = payload if isinstance(payload, bytes) else b"" if payload is None else json.dumps(payload).encode()
    stored = replace(stored_message(1, data=data), attributes=attributes)
    return replace(stored, kind="json") if data[:1] in (b"{", b"[") else stored


def shown(payload: object, *columns: str, **attributes: str) -> list[str]:
    return [cell.text for cell in cells(message(payload, **attributes), columns)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("type", ("type",)),
        ("type, data.user.id ,,type", ("type", "data.user.id")),
        ('"a,b", "say ""x""" ,c d', ("a,b", 'say "x"', "c d")),
        ('" spaced ",é', (" spaced ", "é")),
        ("a\nb", ("a\nb",)),
    ],
)
def test_column_names_are_parsed_and_written(text: str, names: tuple[str, ...]) -> None:
    assert parse_columns([text]) == names
    assert parse_columns([columns_text(names)]) == names
    assert parse_columns(columns_text((name,)) for name in names) == names


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b,c,d,e,f,g,h,i", "are at most 8; found 9"),
        ("x" * 301, "names of at most 300 characters"),
        ('a,"b', "cannot be read from"),
        ('a,b"c"', "cannot be read from"),
        ("," * 3001, "at most 3,000 characters"),
        (" " * 2990 + '"', "cannot be read from"),
    ],
)
def test_invalid_columns_are_reported(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse_columns([text])


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("type", "order"),
        ("nothing", ""),
        ("data.id", "0.10"),
        ("data.big", "12345678901234567890"),
        ("data.user.name", "Åsa\\n<b>"),
        ("data.yes", "true"),
        ("data.none", "null"),
        ("data.items.1.id", "2"),
        ("data.items.*.id", "1 · 2"),
        ("data.many.*", "0 · 1 · 2 · 3 · 4 · 5 · 6 · 7 · 8 · 9 · …"),
        ("data.a.b", "dotted"),
        ("data.user", ""),
        ("data", ""),
        ("data.", ""),
    ],
)
def test_cell_has_the_value_as_sent(column: str, expected: str) -> None:
    data = (
        '{"id": 0.10, "big": 12345678901234567890, "user": {"name": "Åsa\\n<b>"}, "yes": true, "none": null,'
        ' "items": [{"id": 1}, {"id": 2}], "a.b": "dotted", "many": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}'
    )
    assert shown(data.encode(), column, type="order") == [expected]


def test_attribute_wins_over_a_field_of_the_same_name() -> None:
    stored = replace(message({"id": "field"}), attributes={"data.id": "attribute"})
    assert cells(stored, ("data.id",))[0].text == "attribute"


def test_empty_value_differs_from_a_missing_one() -> None:
    assert cells(message(None, type=""), ("type", "other")) == (Cell("type", is_empty=True), Cell("other"))


def test_long_value_is_cut_and_continues_in_the_title() -> None:
    (cell,) = cells(message(None, type="x" * 1000), ("type",))
    assert (cell.text, cell.title) == ("x" * 59 + "…", "x" * 499 + "…")


def test_empty_cell_says_why() -> None:
    large = replace(message(), data=None, chunks=1, tokens=("data.id=7", "type=x"), attributes={"type": "x"})
    known, unknown, attribute = cells(large, ("data.id", "data.user.id", "other"))
    assert (known.text, unknown.text) == ("7", "")
    assert unknown.title.startswith("The payload is over 16 KiB")
    assert attribute.title == ""
    (parent,) = cells(message({"user": {"id": 7}}), ("data.user",))
    assert parent.title == "It contains other fields: data.user.…"


@pytest.mark.parametrize(
    ("column", "expected"),
    [("data.0.id", "71"), ("data.*.type", "bounce · open"), ("data.1.tags.0", "x"), ("data.2", "7"), ("data.id", "")],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_array_and_byte_order_mark_give_cells(column: str, expected: str, mark: bytes) -> None:
    data = mark + b'[{"id": 71, "type": "bounce"}, {"type": "open", "tags": ["x"]}, 7]'
    assert shown(data, column) == [expected]
    assert whole_value(message(), data, column) == (expected or None)
    assert offered([replace(message(mark + b'{"id": 1}'), kind="json")], ()) == ("data.id",)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[" * 5000, b'{"a":' * 3000, b"nonsense", b'"text"', b"[[]]"])
def test_any_payload_gives_cells(data: bytes) -> None:
    assert shown(data, "data.a", "data.*", "data.0", "data.*.*") == ["", "", "", ""]
    assert not offered([message(data)], ())


def test_chosen_and_frequent_names_are_offered() -> None:
    usual = message({"id": 1, "user": {"id": 2, "deep": {"er": {"than": 3}}}, "list": [1]}, type="a", team="x")
    rare = message({"id": 1, "rare": 2}, type="a")
    names = offered([usual, usual, rare], ("chosen", "type"))
    assert names == ("chosen", "type", "data.id", "team", "data.user.id", "data.rare")
    assert not offered([message(None, **{"a\nb": "x", " ": "x", "x" * 301: "x"})], ()), "a form cannot carry them"
    assert len(offered([message({str(number): 1 for number in range(500)})], ())) == 30


def test_same_columns_share_one_renderer() -> None:
    assert row_with(("a", "b")) is row_with(("a", "b"))
    assert row_with(("a",)) is not row_with(("b",))


def test_hostile_values_keep_the_row_intact() -> None:
    harmless, hostile = message({"a": "x" * 40}, name="y" * 40), message({"a": HOSTILE}, name=HOSTILE)
    columns = ("name", "data.a")
    pages = [Skeleton(row_html(stored, columns)).elements for stored in (harmless, hostile)]
    assert pages[0] == pages[1]
    odd = '"><script>alert(1)</script>'
    assert "<script" not in row_html(message(None, **{odd: odd}), (odd,))


def cells_of(html: str) -> list[tuple[str, str]]:
    matches = re.findall(r'<td class="column" role="cell" data-label="([^"]*)"[^>]*>([^<]*)</td>', html)
    return [(unescape(name), unescape(text)) for name, text in matches]


def test_page_history_and_stream_show_the_same_cells(app: Flask, viewer: Visitor, writer: Writer) -> None:
    writer.message(
        attributes={"for": "columns", "type": "order"},
        tokens=["for=columns"],
        kind="json",
        data=b'{"user": {"id": 42}}',
    )
    address = "q=for%3Dcolumns&columns=type%2Cdata.user.id"
    expected = [("type", "order"), ("data.user.id", "42")]
    page = viewer.get(f"/messages?{address}").text
    assert cells_of(page) == expected
    assert re.findall(r'scope="col" class="column" title="[^"]*">([^<]*)<', page) == ["type", "data.user.id"]
    rows = viewer.get(f"/messages?{address}", SCRIPT).json
    assert rows is not None
    assert cells_of(rows["rows"][0]["html"]) == expected
    # An application's feed runs on after the last stream; this one ends with the test.
    with running(services_of(app).settings) as streaming:
        visitor = Visitor(streaming, viewer.name)
        assert cells_of(first_row(visitor, address)) == expected
        assert cells_of(first_row(visitor, "q=for%3Dcolumns")) == []


def first_row(visitor: Visitor, address: str) -> str:
    """Return the first message that the stream sends."""
    answer = visitor.client.get(f"/live?{address}", buffered=False)
    frames = Frames()
    for chunk in answer.response:
        frames.feed(chunk if isinstance(chunk, bytes) else chunk.encode())
        if frames.of("message"):
            break
    answer.close()
    html: str = frames.of("message")[0].data["html"]
    return html


def test_check_boxes_redirect_to_one_address(viewer: Visitor) -> None:
    answer = viewer.get(
        "/messages?q=x+y&subscription=builds&columns=type&columns=%22a%2Cb%22&columns=data.id%2Ctype&columns="
    )
    assert answer.status_code == 302
    held = parse_qs(urlsplit(answer.location).query)
    assert held == {"q": ["x y"], "subscription": ["builds"], "columns": ['type,"a,b",data.id']}


def test_list_links_keep_the_columns(viewer: Visitor, writer: Writer) -> None:
    writer.messages(60, attributes={"type": "x"})
    page = viewer.get("/messages?q=hello&columns=type").text
    links = [unescape(link) for link in re.findall(r'href="(/messages\?[^"]*|/messages)"', page)]
    ours = [link for link in links if not link.startswith("/messages?q=type%3D") and link != "/messages"]
    assert len(ours) > 60
    assert all(parse_qs(urlsplit(link).query)["columns"] == ["type"] for link in ours), ours
    assert 'name="columns" value="type"' in page
    assert 'data-columns="type"' in page


@pytest.mark.parametrize("path", ["/messages", "/live", "/timeline"])
def test_unusable_columns_are_reported_on_the_page(viewer: Visitor, path: str) -> None:
    answer = viewer.get(f"{path}?columns=a,b,c,d,e,f,g,h,i", SCRIPT)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["detail"] == "columns: are at most 8; found 9."


def test_menu_offers_names_from_the_rows(viewer: Visitor, writer: Writer) -> None:
    odd = 'a,"b"<i>'
    writer.message(attributes={"for": "menu", odd: "x"}, tokens=["for=menu"], kind="json", data=b'{"id": 1}')
    page = viewer.get("/messages?q=for%3Dmenu&columns=data.id").text
    boxes = re.findall(r'<input type="checkbox" name="columns" value="([^"]*)"( checked)?>', page)
    assert [(unescape(value), bool(checked)) for value, checked in boxes] == [
        ("data.id", True),
        ("for", False),
        ('"a,""b""<i>"', False),
    ]


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("type", "type"),
        ("data.user.id", "data.user.id"),
        ("data.substitutions.REPO_NAME", "…REPO_NAME"),
        ("x" * 60, "…"),
    ],
)
def test_heading_distinguishes_columns(name: str, head: str) -> None:
    assert heading(name).startswith(head)
    assert len(heading(name)) <= 40


@pytest.mark.parametrize("size", [0, 20_000], ids=["in its head", "in a chunk"])
def test_csv_has_uncut_columns_at_the_end(operator: Visitor, app: Flask, writer: Writer, size: int) -> None:
    items = [{"id": number} for number in range(12)]
    fields = {"user": {"id": 42}, "long": "x" * 700, "formula": "=1", "items": items, "rest": "y" * size}
    data = json.dumps(fields).encode()
    kept: dict[str, Plain] = {"data": None, "chunks": 1} if size else {"data": data}
    mark = f"csv{size}"
    document = writer.message(
        attributes={"for": mark}, tokens=[f"for={mark}"], kind="json", size_bytes=len(data), **kept
    )
    if size:
        head = services_of(app).database.documents.collection("messages").document(document)
        head.collection("chunks").document("0000").set({"data": data})
    names = "data.user.id,data.long,data.formula,other,data.items.*.id"
    text = operator.get(f"/export.csv?q=for%3D{mark}&columns={names}").text
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert list(row)[-5:] == names.split(",")
    ids = " · ".join(map(str, range(12)))
    assert [row[name] for name in names.split(",")] == ["42", "x" * 700, "'=1", "", ids]


def test_page_links_to_its_csv(operator: Visitor) -> None:
    names = "data.user.id,other"
    page = operator.get(f"/messages?q=for%3Dcsv&columns={names}").text
    link = re.search(r'href="(/export\.csv[^"]*)"', page)
    assert link
    assert parse_qs(urlsplit(unescape(link.group(1))).query) == {"q": ["for=csv"], "columns": [names]}
    assert operator.get("/export.csv?columns=%22", SCRIPT).status_code == 400


def test_stream_renders_each_choice_of_columns_once() -> None:
    rendered: list[str] = []

    def renderer(kind: str) -> Callable[[Message], str]:
        def render(_: Message) -> str:
            rendered.append(kind)
            return f"<tr>{kind}</tr>"

        return render

    usual, chosen = renderer("usual"), renderer("chosen")
    cache = frames_module.FrameCache(usual, Logger(stream=io.StringIO()))
    stored = stored_message(1)
    entry = RecentMessage(stored, stored.cursor)
    views = [cache, cache.rendered_by(chosen), cache.rendered_by(chosen)]
    sent = [view.of_recent(entry) for view in views for _ in range(2)]
    assert rendered == ["usual", "chosen"]
    assert [b"chosen" in frame for frame in sent] == [False, False, True, True, True, True]


def test_many_choices_of_columns_use_bounded_memory() -> None:
    frames = frames_module.FrameCache(lambda _: "<tr>", Logger(stream=io.StringIO()))
    views = [frames.rendered_by(row_with((str(number),))) for number in range(5)]
    for number in range(frames_module.MAX_BODIES // 4):
        for view in views:
            view.of_message(stored_message(number), stored_message(number).cursor)
    assert len(frames) == frames_module.MAX_BODIES
