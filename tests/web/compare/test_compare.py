"""The page that compares two messages, its JSON Patch, and the ways to choose the other message."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from infra.firestore.encoding import Plain
from infra.messages.message import document_id, index_tokens, read_content
from tests.support.firestore.settings import SUBSCRIPTION
from tests.support.firestore.writer import Writer
from tests.support.viewer.list_page import HARMLESS, HOSTILE, hours_ago
from tests.support.viewer.visitor import Skeleton, Visitor, services_of

Store = Callable[..., str]
NOBODY = document_id("nobody", "1")


@pytest.fixture
def store(writer: Writer) -> Iterator[Store]:
    """Store messages as the receiver does, and delete them after the test."""
    documents: list[str] = []

    def keep(data: bytes = b"", **fields: Plain) -> str:
        content, attributes = read_content(data), fields.get("attributes", {})
        assert isinstance(attributes, dict)
        derived: dict[str, Plain] = {
            "data": data,
            "kind": content.kind,
            "preview": content.preview,
            "size_bytes": len(data),
            "tokens": list(index_tokens(attributes, content.scalars)),
        }
        documents.append(writer.message(**derived | fields))
        return documents[-1]

    yield keep
    writer.delete(*documents)


def compared(visitor: Visitor, a: str, b: str) -> str:
    answer = visitor.get(f"/compare?a={a}&b={b}")
    assert answer.status_code == 200, answer.text
    return " ".join(" ".join(Skeleton(answer.text).texts).split())


def test_page_shows_differences_of_payload_attributes_and_metadata(viewer: Visitor, store: Store) -> None:
    at = hours_ago(2)
    a = store(
        b'{"id": 7, "total": 1.0, "note": "x"}', attributes={"team": "a", "same": "s", "old": "o"}, publish_time=at
    )
    b = store(
        b'{"total": 1.10, "id": 7, "tags": []}', attributes={"team": "b", "same": "s"}, deliveries=3, ordering_key="k"
    )
    page = compared(viewer, a, b)
    assert "3 differences in the payload: 1 added, 1 removed, 1 changed, 2 in the attributes." in page
    for row in (
        "≠ changed /total A:  1.0 B:  1.10",
        '− removed /note A:  "x" B:  none',
        "+ added /tags A:  none B:  []",
        "≠ changed team A:  a B:  b",
        "− removed old A:  o B:  none",
        "1 equal attribute",
        "≠ changed Deliveries A:  1 B:  3",
        "+ added Ordering key A:  none B:  k",
        "≠ changed Published",
        "Kind json",
    ):
        assert " ".join(row.split()) in page, row
    assert "1 equal value" in page


def test_equal_messages_are_called_equal(viewer: Visitor, store: Store) -> None:
    a, b = store(b'{"a": 1, "b": 2}', attributes={"x": "1"}), store(b'{"b": 2, "a": 1}', attributes={"x": "1"})
    page = compared(viewer, a, b)
    assert "Equal: the payloads and the attributes are the same." in page
    assert "difference" not in page.partition("Metadata")[0].partition("Payload")[2]


def test_text_and_bytes_are_compared_by_line_and_byte(viewer: Visitor, store: Store) -> None:
    page = compared(viewer, store(b"one\ntwo\nthree"), store(b"one\n2\nthree"))
    assert "changed line 2" in page
    assert "1 equal line" in page
    page = compared(viewer, store(b"\x00" * 40 + b"\xff"), store(b"\x00" * 40 + b"\xfe"))
    assert "changed byte 40" in page
    assert "40 equal bytes" in page


def test_larger_payloads_are_compared_by_their_beginning(viewer: Visitor, store: Store, writer: Writer) -> None:
    rest = b"x" * 1_200_000
    a, b = (writer.large(first + rest, sha256=sha256 * 64) for first, sha256 in ((b"a\n", "a"), (b"b\n", "b")))
    page = compared(viewer, a, b)
    assert (
        "only those up to 1 MiB are compared whole. Their SHA-256 differ. The first 922 kB of each are compared."
        in page
    )
    assert "changed part 1" in page
    same = writer.large(b"other" + rest, sha256="a" * 64)
    writer.delete(a, b, same)


def test_patch_turns_the_first_payload_into_the_second(viewer: Visitor, store: Store) -> None:
    a, b = store(b'{"a": 1.0, "b": [1, 2]}'), store(b'{"a": 1.00, "b": [2]}')
    answer = viewer.get(f"/compare/patch?a={a}&b={b}")
    assert answer.mimetype == "application/json-patch+json"
    assert answer.text == '[{"op": "replace", "path": "/a", "value": 1.00},\n {"op": "remove", "path": "/b/0"}]\n'
    assert f"{a}-{b}.json" in answer.headers["Content-Disposition"]
    reordered = store(b'{"b": [1, 2], "a": 1.0}')
    assert json.loads(viewer.get(f"/compare/patch?a={a}&b={reordered}").text) == []


@pytest.mark.parametrize(
    ("data", "detail"),
    [(b"text", "not both JSON"), (b'{"a": 1, "a": 2}', "A name occurs more than once")],
)
def test_payloads_without_a_patch_answer_409(viewer: Visitor, store: Store, data: bytes, detail: str) -> None:
    answer = viewer.get(f"/compare/patch?a={store(b'{}')}&b={store(data)}")
    assert answer.status_code == 409
    assert detail in answer.text


@pytest.mark.parametrize("path", ["/compare", "/compare/patch"])
@pytest.mark.parametrize(
    ("arguments", "status", "detail"),
    [
        ("", 400, "a: is missing"),
        ("a={one}", 400, "b: is missing"),
        ("a={one}&b=wrong", 400, "b: has to be the id of a message, 32 hex digits; found"),
        ("a={one}&b={one}", 400, "b: is the same message as a"),
        ("a={one}&b=" + NOBODY, 404, "The message b does not exist"),
        ("a=" + NOBODY + "&b={one}", 404, "The message a does not exist"),
    ],
)
def test_wrong_arguments_are_named(
    viewer: Visitor, store: Store, path: str, arguments: str, status: int, detail: str
) -> None:
    answer = viewer.get(f"{path}?{arguments.format(one=store(b'x'))}")
    assert answer.status_code == status
    assert detail in answer.text


def arguments_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_previous_of_the_ordering_key_and_of_the_type_are_one_click_away(viewer: Visitor, store: Store) -> None:
    key, kind = uuid4().hex, uuid4().hex
    first = store(b"1", ordering_key=key, received_at=hours_ago(3))
    typed = store(b"{}", attributes={"type": kind}, received_at=hours_ago(2.5))
    store(b"2", ordering_key=key, received_at=hours_ago(2), subscription="another")
    later = store(b"3", ordering_key=key, attributes={"type": kind}, received_at=hours_ago(1))
    page = viewer.get(f"/messages/{later}").text
    assert "With the previous of its ordering key" in page
    assert f"With the previous of its type (type={kind})" in page
    for by, expected in (("key", first), ("type", typed)):
        answer = viewer.get(f"/compare/earlier?b={later}&by={by}")
        assert answer.status_code == 302
        assert arguments_of(answer.location) == {"a": expected, "b": later}


def test_search_without_a_result_answers_404(viewer: Visitor, store: Store) -> None:
    only = store(b"1", ordering_key=uuid4().hex)
    answer = viewer.get(f"/compare/earlier?b={only}&by=key")
    assert answer.status_code == 404
    assert "has the same ordering key" in " ".join(answer.text.split())
    assert viewer.get(f"/compare/earlier?b={only}&by=colour").status_code == 400
    assert viewer.get(f"/compare/earlier?b={store(b'1')}&by=key").status_code == 400


def test_message_is_compared_with_what_it_was_replayed_from(viewer: Visitor, writer: Writer, store: Store) -> None:
    message_id = uuid4().hex
    origin = writer.named(SUBSCRIPTION, message_id)
    replay = store(b"x", attributes={"replayed-from": message_id})
    assert f"/compare?a={origin}&amp;b={replay}" in viewer.get(f"/messages/{replay}").text
    writer.delete(origin)


def test_second_message_is_chosen_from_a_filtered_list(viewer: Visitor, store: Store) -> None:
    team = uuid4().hex
    a = store(b"first", attributes={"team": team}, received_at=hours_ago(2))
    b = store(b"second", attributes={"team": team}, received_at=hours_ago(1))
    assert f"/compare/with?a={a}" in viewer.get(f"/messages/{a}").text
    page = viewer.get(f"/compare/with?a={a}&q=team%3D{team}").text
    assert f"/compare?a={a}&amp;b={b}" in page
    assert page.count("/compare?a=") == 1
    # The older one is always A.
    assert f"/compare?a={a}&amp;b={b}" in viewer.get(f"/compare/with?a={b}&q=team%3D{team}").text
    assert viewer.get(f"/compare/with?a={NOBODY}").status_code == 404


def test_markup_of_publishers_stays_text(viewer: Visitor, store: Store) -> None:
    pages = []
    for text in (HARMLESS, HOSTILE):
        sides = [
            store(
                json.dumps({text: text, "v": side + text}).encode(), attributes={text: side}, ordering_key=text + side
            )
            for side in ("a", "b")
        ]
        page = viewer.get(f"/compare?a={sides[0]}&b={sides[1]}").text
        pages.append(Skeleton(page).elements)
    assert pages[0] == pages[1]


def test_person_without_cpu_is_refused_until_it_is_refilled(viewer: Visitor, store: Store) -> None:
    share = services_of(viewer.app).shares.pages.of(viewer.name)
    a, b = store(b"1"), store(b"2")
    share.charge(6.0)
    answer = viewer.get(f"/compare?a={a}&b={b}")
    share.charge(-6.0)
    assert answer.status_code == 503
    assert "your share of the CPU" in answer.text
    assert viewer.get(f"/compare?a={a}&b={b}").status_code == 200
