"""One table of filters, asked in every place that reads one: list, stream, tail, export, API, count of republishing."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from click.testing import CliRunner
from flask import Flask

from infra.cli.program import main
from infra.firestore.message_reader import Selection
from infra.messages.cursor import Cursor
from infra.messages.message import index_tokens, read_content
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import environ_for
from tests.support.firestore.writer import Writer
from tests.support.viewer.list_page import ids_in
from tests.support.viewer.visitor import SCRIPT, Visitor, add_user, services_of
from web.live.client_filter import parse_client_filter

# All messages of this module have this attribute: other modules share the database.
RUN = uuid4().hex
NOW = datetime.now(UTC).replace(microsecond=0)
STORED = (
    {"name": "small", "total": "5", "data": '{"total": 9.5, "at": "2026-11-23T10:00:00Z"}'},
    {"name": "exact", "total": "10", "data": '{"total": 18446744073709551617, "items": [{"n": 3}, {"n": 40}]}'},
    {"name": "large", "status": "PAID", "data": '{"total": 150, "user": {"id": null}, "path": "/v1.0/x"}'},
    {"name": "text", "status": "PAID", "data": "connection  refused"},
    {"name": "twice", "data": '{"total": "1e3"}'},
)
EVERY = {"small", "exact", "large", "text", "twice"}
TABLE = [
    ("", EVERY),
    ("data.total>100", {"exact", "large", "twice"}),
    ("data.total>=150 data.total<=1000", {"large", "twice"}),
    ("data.total>18446744073709551616", {"exact"}),
    ("data.total:9..150", {"small", "large"}),
    ("-data.total>100", {"small", "text"}),
    ("total>9", {"exact"}),
    ("data.items.*.n<4 data.items.*.n>39", {"exact"}),
    ("data.at>=2026-11-23T12:00+02:00 data.at<2026-11-23T10:00:00.001Z", {"small"}),
    ("size<20", {"text", "twice"}),
    ("deliveries>=2", {"twice"}),
    ("attempt:3..", {"twice"}),
    ("published<1h", {"twice"}),
    ("status!=PAID", {"small", "exact", "twice"}),
    ("status=PAID -has:data.user.id", {"text"}),
    ("has:data.items.0.n OR has:data.user", {"exact", "large"}),
    ("(status=PAID data.total>100) OR (total=5 OR deliveries>1)", {"large", "small", "twice"}),
    ("-(status=PAID OR data.total>500)", {"small"}),
    ("status=PAID AND (data.total>1 OR refused)", {"large", "text"}),
    ("/refused$/ OR /\\/V1\\.0/", {"text", "large"}),
    ("name=~/^.{5}$/", EVERY - {"text"}),
]


@pytest.fixture(scope="module", autouse=True)
def stored(writer: Writer) -> None:
    for number, fields in enumerate(STORED):
        data = fields["data"].encode()
        attributes = {key: value for key, value in fields.items() if key != "data"} | {"run": RUN}
        content = read_content(data)
        is_last = fields["name"] == "twice"
        writer.message(
            attributes=attributes,
            tokens=list(index_tokens(attributes, content.scalars)),
            data=data,
            kind=content.kind,
            preview=content.preview,
            size_bytes=len(data),
            received_at=NOW - timedelta(seconds=number),
            publish_time=NOW - timedelta(hours=2 if is_last else 0),
            deliveries=2 if is_last else 1,
            **({"delivery_attempt": 3} if is_last else {}),
        )


@pytest.fixture(scope="module")
def names(app: Flask) -> dict[str, str]:
    """The names of the messages by their ids."""
    page = services_of(app).all_messages.page(Selection(tokens=(f"run={RUN}",)))
    return {message.id: message.attributes["name"] for message in page if message.attributes.get("run") == RUN}


@pytest.fixture(scope="module")
def person(app: Flask) -> Visitor:
    return Visitor(app, add_user(app, f"person-{uuid4().hex[:8]}", "operator"))


def filter_of(text: str) -> str:
    return f"run={RUN} {text}".strip()


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_filter_has_one_answer_everywhere(
    person: Visitor, app: Flask, firestore: LocalFirestore, names: dict[str, str], text: str, expected: set[str]
) -> None:
    q = filter_of(text)
    query = urlencode({"q": q})
    listed = ids_in(person.get(f"/messages?{query}").text)
    rows = person.get(f"/messages?q={quote(q, safe='')}", SCRIPT).get_json()["rows"]
    api = person.get(f"/api/v1/messages?{query}", SCRIPT).get_json()["messages"]
    exported = [json.loads(line) for line in person.get(f"/export.ndjson?{query}").text.splitlines()]
    answers = {
        "list": listed,
        "rows": [row["id"] for row in rows],
        "api": [message["id"] for message in api],
        "export": [message["id"] for message in exported if "cut" not in message],
        "stream": in_stream(app, q),
        "tail": in_tail(firestore, q),
    }
    for place, ids in answers.items():
        assert {names[one] for one in ids} == expected, place
        assert len(ids) == len(expected), f"{place} has each once"
    counted = re.search(r"Republish (\d+) message", person.get(f"/republish?{query}").text)
    assert counted
    assert int(counted[1]) == len(expected)


def in_tail(firestore: LocalFirestore, q: str) -> list[str]:
    words = ["tail", "--no-follow", "--json", "--lines", "50", "--filter", q]
    result = CliRunner().invoke(main, words, env=environ_for(firestore.address))
    assert result.exit_code == 0, result.output
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


def in_stream(app: Flask, q: str) -> list[str]:
    """The messages that a stream replays and accepts."""
    client_filter = parse_client_filter(q, "")
    since = Cursor(NOW - timedelta(hours=1), "0" * 32)
    replayed = services_of(app).all_messages.since(since, client_filter.selection, limit=2_000)
    assert replayed is not None
    return [message.id for message in replayed if client_filter.accepts(message)]


def test_saved_filter_opens_the_same_list(person: Visitor, names: dict[str, str]) -> None:
    text, expected = TABLE[16]
    saved = person.post("/filters", name=f"Group {RUN}", q=filter_of(text))
    assert saved.status_code == 303
    assert {names[one] for one in ids_in(person.get(saved.headers["Location"]).text)} == expected


def test_list_explains_its_filter(person: Visitor) -> None:
    page = person.get(f"/messages?{urlencode({'q': filter_of('data.total>100 /v1/ after:1d')})}").text
    panel = page.split('class="menu explain"', 1)[1].split("</details>", 1)[0]
    cells = re.findall(r"<code>(.*?)</code>\s*</th>\s*<td>(.*?)</td>\s*<td>(.*?)</td>", panel, re.DOTALL)
    assert cells == [
        (f"run={RUN}", "the index", ""),
        ("data.total&gt;100", "each message in memory", "numbers in the JSON field total"),
        ("/v1/", "each message in memory", ""),
        ("after:1d", "the time of receipt, a limit of the search", ""),
    ]
    assert re.search(r"5 messages were looked at in \d\.\d\d s, [\d,]+ each second; 0 matched", panel)
    assert "All that is kept was searched." in panel
    assert "/v1/ is text with its slashes" in panel


def test_list_without_a_filter_has_nothing_to_explain(person: Visitor) -> None:
    assert 'class="menu explain"' not in person.get("/messages?q=").text
