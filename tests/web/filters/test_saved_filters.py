"""Saved filters: all people use them, operators change them, one is the default, and names are escaped."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from google.cloud.firestore import SERVER_TIMESTAMP
from markupsafe import escape

from infra.query.list_arguments import ListArguments
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from tests.support.viewer.app import running
from tests.support.viewer.list_page import ids_in, settled
from tests.support.viewer.visitor import SCRIPT, Skeleton, Visitor, add_user, services_of

HOSTILE = "</a><script>alert(1)</script>\"'`{{7*7}} ${1}"
QUIET = "-type=heartbeat"


@pytest.fixture(scope="module")
def app(firestore: LocalFirestore) -> Iterator[Flask]:
    """A viewer and a database for this module only: a default filter changes every list.

    One heartbeat and one order are stored.
    """
    own = {"FIRESTORE_DATABASE": f"filters-{uuid4().hex[:8]}"}
    writer = Writer(firestore.address, **own)
    for kind in ("heartbeat", "order"):
        writer.message(attributes={"type": kind}, tokens=[f"type={kind}"])
    settings = settings_for(firestore.address, **own, LOG_LEVEL="CRITICAL", SUBSCRIPTIONS="builds,letters")
    with running(settings) as made:
        yield made
    writer.close()


@pytest.fixture(scope="module")
def operator(app: Flask) -> Visitor:
    return Visitor(app, add_user(app, "operator", "operator"))


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return Visitor(app, add_user(app, "viewer", "viewer"))


@pytest.fixture(autouse=True)
def none_left(app: Flask) -> Iterator[None]:
    yield
    for document in services_of(app).database.documents.collection("filters").stream():
        document.reference.delete()


def save(app: Flask, name: str, query: str = QUIET, subscription: str = "", columns: tuple[str, ...] = ()) -> str:
    return services_of(app).saved_filters.save(name, ListArguments(query, subscription, columns), by="operator").id


def words(page: str) -> str:
    return " ".join(" ".join(Skeleton(page).texts).split())


def menu_of(page: str) -> list[tuple[str, str]]:
    """Return the addresses and names in the menu of saved filters."""
    menu = page.split('<details class="menu saved">', 1)[1].split("</details>", 1)[0]
    matches = re.findall(r'<a href="([^"]+)"[^>]*>\s*<span class="saved-name">([^<]*)</span>', menu)
    return [(unescape(address), unescape(name)) for address, name in matches]


def test_filter_saved_by_an_operator_is_offered_to_all(operator: Visitor, viewer: Visitor) -> None:
    answer = operator.post("/filters", name="No heartbeats", q=QUIET, subscription="builds", columns="type,data.id")
    assert answer.status_code == 303
    address = "/messages?q=-type%3Dheartbeat&subscription=builds&columns=type%2Cdata.id"
    assert answer.location == f"{address}&notice=saved"
    assert "The filter is saved, for everyone." in operator.get(answer.location).text
    page = viewer.get("/messages").text
    assert menu_of(page) == [(address, "No heartbeats")]
    shown = viewer.get(address).text
    assert len(ids_in(shown)) == 1
    assert "No heartbeats : Filtered, here and in what arrives." in words(shown)
    assert "No heartbeats" in viewer.get("/filters").text


def test_viewers_can_use_but_not_change_filters(app: Flask, viewer: Visitor) -> None:
    saved_id = save(app, "theirs")
    page = viewer.get("/filters").text
    assert "theirs" in page
    assert "Save for everyone" not in page
    assert "/delete" not in page
    assert "Save this filter" not in viewer.get("/messages").text
    assert viewer.post("/filters", name="x", q="y").status_code == 403
    assert viewer.post(f"/filters/{saved_id}/delete").status_code == 403
    assert viewer.post("/filters/default", filter=saved_id).status_code == 403
    assert len(services_of(app).saved_filters.all()) == 1


def test_bare_list_opens_with_the_default(app: Flask, operator: Visitor, viewer: Visitor) -> None:
    saved_id = save(app, "Quiet")
    assert viewer.get("/messages").status_code == 200
    assert operator.post("/filters/default", filter=saved_id).location == "/filters?notice=default"
    opened = viewer.get("/messages?notice=password")
    assert (opened.status_code, opened.location) == (302, "/messages?q=-type%3Dheartbeat&notice=password")
    page = viewer.get(opened.location).text
    assert len(ids_in(page)) == 1
    assert "Quiet default is what this list opens with." in words(page)
    assert re.search(r'<a class="clear" href="/messages\?q=">See everything</a>', page)
    everything = viewer.get("/messages?q=").text
    assert len(ids_in(everything)) == 2
    assert "is what this list opens with" not in everything
    assert operator.post("/filters/default", filter="").location == "/filters?notice=cleared"
    assert viewer.get("/messages").status_code == 200


@pytest.mark.parametrize("asked", ["q=", "q=x", "subscription=builds", "columns=type", "before=1-" + "0" * 32])
def test_arguments_win_over_the_default(app: Flask, viewer: Visitor, asked: str) -> None:
    services_of(app).saved_filters.set_default(save(app, "Quiet"), by="operator")
    assert viewer.get(f"/messages?{asked}").status_code == 200


def test_json_request_is_not_redirected_to_the_default(app: Flask, viewer: Visitor) -> None:
    services_of(app).saved_filters.set_default(save(app, "Quiet"), by="operator")
    answer = viewer.get("/messages", SCRIPT)
    assert answer.status_code == 200
    assert answer.json is not None
    assert len(answer.json["rows"]) == 2


def test_clear_link_opens_the_unfiltered_list(app: Flask, viewer: Visitor) -> None:
    services_of(app).saved_filters.set_default(save(app, "Quiet"), by="operator")
    assert (
        '<a class="btn btn-outline-secondary" href="/messages?q=">Clear filter</a>' in viewer.get("/messages?q=no").text
    )
    listed = viewer.get("/messages?q=&subscription=builds").text
    assert re.search(r'class="all-subscriptions">\s*<a href="/messages\?q="', listed)
    assert "data-has-default" in listed


@pytest.mark.parametrize(
    "fields",
    [
        {"query": "levl:x"},
        {"subscription": "gone"},
        {"columns": list("abcdefghi")},
        {"query": ""},  # its address is the bare one, which opens the default
        {"query": "", "columns": [""]},
        {"query": "ü" * 1_999},  # six characters each in an address
    ],
)
def test_unusable_default_is_ignored(app: Flask, operator: Visitor, viewer: Visitor, fields: dict[str, object]) -> None:
    broken = {"name": "edited in the console", "query": "x", "default_since": SERVER_TIMESTAMP, **fields}
    services_of(app).database.documents.collection("filters").document("broken").set(broken)
    answer = viewer.get("/messages")
    assert (answer.status_code, len(ids_in(answer.text))) == (200, 2)
    assert "cannot be used" in viewer.get("/filters").text
    assert operator.post("/filters/default", filter="broken").status_code == 400
    assert operator.post("/filters/broken/delete", confirmed="yes").status_code == 303
    assert not services_of(app).saved_filters.all()


@pytest.mark.parametrize("q", ["status=FAILED levl:high", 'say "half', "x -"])
def test_invalid_filter_is_refused_as_in_the_search_box(app: Flask, operator: Visitor, q: str) -> None:
    listed, saved = operator.get("/messages", query_string={"q": q}), operator.post("/filters", name="Mine", q=q)
    assert (listed.status_code, saved.status_code) == (400, 400)
    said = [
        re.search(r"<p>This filter cannot be used: .*?</code>\s*</p>", page.text, re.DOTALL) for page in (listed, saved)
    ]
    assert said[0]
    assert said[1]
    assert said[0].group() == said[1].group()
    assert 'value="Mine"' in saved.text
    assert not services_of(app).saved_filters.all()


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"name": ""}, 400, "The name is missing"),
        ({"name": "x" * 81}, 400, "The name has 81 characters; the maximum is 80."),
        ({"q": ""}, 400, "The filter is empty"),
        ({"subscription": "other"}, 400, "is not monitored here"),
        ({"columns": "a,b,c,d,e,f,g,h,i"}, 400, "The columns are at most 8; found 9."),
        ({"name": "taken"}, 409, "There is a filter &#39;taken&#39; already"),
    ],
)
def test_refused_form_keeps_its_text(
    app: Flask, operator: Visitor, fields: dict[str, str], status: int, sentence: str
) -> None:
    save(app, "Taken")
    typed: Any = {"name": "new", "q": "x=1", **fields}
    answer = operator.post("/filters", **typed)
    assert answer.status_code == status
    assert sentence in answer.text
    assert 'name="q" value="' + fields.get("q", "x=1") in answer.text
    assert len(services_of(app).saved_filters.all()) == 1


def test_filter_too_long_for_an_address_is_refused(app: Flask, operator: Visitor) -> None:
    answer = operator.post("/filters", name="Long", q="ü" * 1_999)
    assert answer.status_code == 400
    assert "The filter is too long for an address" in answer.text
    assert operator.post("/filters", name="Long", q='"' + "=" * 1_998 + '"').status_code == 303


def test_filter_is_deleted_for_all(app: Flask, operator: Visitor, viewer: Visitor) -> None:
    saved_id = save(app, "old")
    assert operator.post(f"/filters/{saved_id}/delete", confirmed="yes").location == "/filters?notice=deleted"
    assert "saved-name" not in viewer.get("/messages").text
    assert operator.post(f"/filters/{saved_id}/delete", confirmed="yes").status_code == 404
    assert operator.post("/filters/default", filter=saved_id).status_code == 404


def test_each_change_is_audited(app: Flask, operator: Visitor) -> None:
    admin = Visitor(app, add_user(app, "ada", "admin"))
    operator.post("/filters", name="Recorded", q="x=1")
    saved_id = services_of(app).saved_filters.all()[0].id
    operator.post("/filters/default", filter=saved_id)
    operator.post(f"/filters/{saved_id}/delete", confirmed="yes")
    for what in ("filter.save", "filter.default", "filter.delete"):
        page = admin.get(f"/audit?who=operator&what={what}").text
        assert f"filters/{saved_id}" in page
        assert "Recorded: x=1" in page


def test_name_and_filter_are_escaped(app: Flask, operator: Visitor) -> None:
    paths = ("/messages", "/filters", "/messages?q=%22one%22")
    pages = []
    for name, text in (("harmless", '"one"'), (HOSTILE, '"one"')):
        saved_id = save(app, name, text, columns=(name,))
        services_of(app).saved_filters.set_default(saved_id, by="operator")
        pages.append([Skeleton(settled(operator, path).text).elements for path in paths[1:]])
        services_of(app).saved_filters.delete(saved_id, by="operator")
    assert pages[0] == pages[1]
    odd = f'"{HOSTILE.replace(chr(34), "")}"'
    save(app, "odd", odd)
    address, _ = menu_of(operator.get("/messages").text)[0]
    assert f'name="q" value="{escape(odd)}"' in operator.get(address).text


def test_invisible_characters_are_written_out(app: Flask, operator: Visitor) -> None:
    fields = {"name": "turn\u202eed", "query": "a\u202eb", "created_at": datetime.now(UTC)}
    services_of(app).database.documents.collection("filters").document("odd").set(fields)
    for path in ("/messages", "/filters"):
        assert "\u202e" not in operator.get(path).text.replace("%E2%80%AE", "")
