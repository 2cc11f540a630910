"""Saved filters: everybody uses them, operators keep them, one opens the list, and nothing in a name is markup."""

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

from infra.saved_filters import ListArguments
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from tests.support.viewer.app import running
from tests.support.viewer.list_page import ids_in
from tests.support.viewer.visitor import SCRIPT, Skeleton, Visitor, add_user, services_of

HOSTILE = "</a><script>alert(1)</script>\"'`{{7*7}} ${1}"
QUIET = "-type=heartbeat"


@pytest.fixture(scope="module")
def app(firestore: LocalFirestore) -> Iterator[Flask]:
    """A viewer and a database of the module's own: a default filter changes every list.

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
    return Visitor(app, add_user(app, "otto", "operator"))


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return Visitor(app, add_user(app, "vera", "viewer"))


@pytest.fixture(autouse=True)
def none_left(app: Flask) -> Iterator[None]:
    yield
    for one in services_of(app).database.documents.collection("filters").stream():
        one.reference.delete()


def save(app: Flask, name: str, query: str = QUIET, subscription: str = "", columns: tuple[str, ...] = ()) -> str:
    return services_of(app).saved_filters.save(name, ListArguments(query, subscription, columns), by="ana").id


def words(page: str) -> str:
    return " ".join(" ".join(Skeleton(page).texts).split())


def menu_of(page: str) -> list[tuple[str, str]]:
    """What the menu of saved filters offers: addresses and names."""
    menu = page.split('<details class="menu saved">', 1)[1].split("</details>", 1)[0]
    found = re.findall(r'<a href="([^"]+)"[^>]*><span class="saved-name">([^<]*)</span>', menu)
    return [(unescape(address), unescape(name)) for address, name in found]


def test_an_operator_saves_and_everybody_has_it(operator: Visitor, viewer: Visitor) -> None:
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


def test_viewers_use_and_do_not_change(app: Flask, viewer: Visitor) -> None:
    one = save(app, "theirs")
    page = viewer.get("/filters").text
    assert "theirs" in page
    assert "Save for everyone" not in page
    assert "/delete" not in page
    assert "Save this filter" not in viewer.get("/messages").text
    assert viewer.post("/filters", name="x", q="y").status_code == 403
    assert viewer.post(f"/filters/{one}/delete").status_code == 403
    assert viewer.post("/filters/default", filter=one).status_code == 403
    assert len(services_of(app).saved_filters.all()) == 1


def test_a_list_without_a_wish_opens_with_the_default(app: Flask, operator: Visitor, viewer: Visitor) -> None:
    one = save(app, "Quiet")
    assert viewer.get("/messages").status_code == 200
    assert operator.post("/filters/default", filter=one).location == "/filters?notice=default"
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
def test_a_wish_is_followed_whatever_the_default_is(app: Flask, viewer: Visitor, asked: str) -> None:
    services_of(app).saved_filters.set_default(save(app, "Quiet"), by="ana")
    assert viewer.get(f"/messages?{asked}").status_code == 200


def test_the_pages_own_script_is_never_led_elsewhere(app: Flask, viewer: Visitor) -> None:
    services_of(app).saved_filters.set_default(save(app, "Quiet"), by="ana")
    answer = viewer.get("/messages", SCRIPT)
    assert answer.status_code == 200
    assert answer.json is not None
    assert len(answer.json["rows"]) == 2


def test_links_out_of_a_filter_lead_to_everything(app: Flask, viewer: Visitor) -> None:
    services_of(app).saved_filters.set_default(save(app, "Quiet"), by="ana")
    assert (
        '<a class="btn btn-outline-secondary" href="/messages?q=">Clear filter</a>' in viewer.get("/messages?q=no").text
    )
    listed = viewer.get("/messages?q=&subscription=builds").text
    assert re.search(r'class="all-subscriptions"><a href="/messages\?q="', listed)
    assert "data-has-default" in listed


@pytest.mark.parametrize(
    "fields",
    [
        {"query": "levl:x"},
        {"subscription": "gone"},
        {"columns": list("abcdefghi")},
        {"query": ""},  # the bare address, which leads to the default
        {"query": "", "columns": [""]},
        {"query": "ü" * 1_999},  # six characters each in an address
    ],
)
def test_a_default_that_cannot_be_used_opens_everything(
    app: Flask, operator: Visitor, viewer: Visitor, fields: dict[str, object]
) -> None:
    broken = {"name": "edited in the console", "query": "x", "default_since": SERVER_TIMESTAMP, **fields}
    services_of(app).database.documents.collection("filters").document("broken").set(broken)
    answer = viewer.get("/messages")
    assert (answer.status_code, len(ids_in(answer.text))) == (200, 2)
    assert "cannot be used" in viewer.get("/filters").text
    assert operator.post("/filters/default", filter="broken").status_code == 400
    assert operator.post("/filters/broken/delete", confirmed="yes").status_code == 303
    assert not services_of(app).saved_filters.all()


@pytest.mark.parametrize("q", ["status=FAILED levl:high", 'say "half', "x -"])
def test_a_wrong_filter_is_refused_as_in_the_search_box(app: Flask, operator: Visitor, q: str) -> None:
    listed, saved = operator.get("/messages", query_string={"q": q}), operator.post("/filters", name="Mine", q=q)
    assert (listed.status_code, saved.status_code) == (400, 400)
    said = [
        re.search(r"<p>This filter cannot be used: .*?</code></p>", page.text, re.DOTALL) for page in (listed, saved)
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
        ({"name": "x" * 81}, 400, "The name has 81 characters; 80 are the most."),
        ({"q": ""}, 400, "The filter is empty"),
        ({"subscription": "other"}, 400, "is not monitored here"),
        ({"columns": "a,b,c,d,e,f,g,h,i"}, 400, "The columns are at most 8; found 9."),
        ({"name": "taken"}, 409, "There is a filter &#39;taken&#39; already"),
    ],
)
def test_what_cannot_be_saved_is_told_and_kept(
    app: Flask, operator: Visitor, fields: dict[str, str], status: int, sentence: str
) -> None:
    save(app, "Taken")
    typed: Any = {"name": "new", "q": "x=1", **fields}
    answer = operator.post("/filters", **typed)
    assert answer.status_code == status
    assert sentence in answer.text
    assert 'name="q" value="' + fields.get("q", "x=1") in answer.text
    assert len(services_of(app).saved_filters.all()) == 1


def test_a_filter_that_no_address_can_hold_is_refused(app: Flask, operator: Visitor) -> None:
    answer = operator.post("/filters", name="Long", q="ü" * 1_999)
    assert answer.status_code == 400
    assert "The filter is too long for an address" in answer.text
    assert operator.post("/filters", name="Long", q='"' + "=" * 1_998 + '"').status_code == 303


def test_deleting_is_for_everyone_and_once(app: Flask, operator: Visitor, viewer: Visitor) -> None:
    one = save(app, "old")
    assert operator.post(f"/filters/{one}/delete", confirmed="yes").location == "/filters?notice=deleted"
    assert "saved-name" not in viewer.get("/messages").text
    assert operator.post(f"/filters/{one}/delete", confirmed="yes").status_code == 404
    assert operator.post("/filters/default", filter=one).status_code == 404


def test_each_change_is_in_the_audit(app: Flask, operator: Visitor) -> None:
    admin = Visitor(app, add_user(app, "ada", "admin"))
    operator.post("/filters", name="Recorded", q="x=1")
    one = services_of(app).saved_filters.all()[0].id
    operator.post("/filters/default", filter=one)
    operator.post(f"/filters/{one}/delete", confirmed="yes")
    for what in ("filter.save", "filter.default", "filter.delete"):
        page = admin.get(f"/audit?who=otto&what={what}").text
        assert f"filters/{one}" in page
        assert "Recorded: x=1" in page


def test_nothing_in_a_name_or_filter_is_markup(app: Flask, operator: Visitor) -> None:
    paths = ("/messages", "/filters", "/messages?q=%22one%22")
    pages = []
    for name, text in (("harmless", '"one"'), (HOSTILE, '"one"')):
        one = save(app, name, text, columns=(name,))
        services_of(app).saved_filters.set_default(one, by="ana")
        pages.append([Skeleton(operator.get(path).text).elements for path in paths[1:]])
        services_of(app).saved_filters.delete(one, by="ana")
    assert pages[0] == pages[1]
    odd = f'"{HOSTILE.replace(chr(34), "")}"'
    save(app, "odd", odd)
    address, _ = menu_of(operator.get("/messages").text)[0]
    assert f'name="q" value="{escape(odd)}"' in operator.get(address).text


def test_characters_that_cannot_be_seen_are_shown(app: Flask, operator: Visitor) -> None:
    fields = {"name": "turn\u202eed", "query": "a\u202eb", "created_at": datetime.now(UTC)}
    services_of(app).database.documents.collection("filters").document("odd").set(fields)
    for path in ("/messages", "/filters"):
        assert "\u202e" not in operator.get(path).text.replace("%E2%80%AE", "")
