"""The page of one message: views, attributes with filter links, copy buttons, times."""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from infra.firestore.encoding import Plain
from tests.support.firestore.writer import Writer
from tests.support.viewer.list_page import HARMLESS, HOSTILE, hours_ago
from tests.support.viewer.visitor import Skeleton, Visitor
from web.formats import latency_text, span_text

Store = Callable[..., str]
AN_HOUR_AGO = hours_ago(1)


class Controls(HTMLParser):
    """Collects the targets of links and the text of copy buttons, as a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.copies: dict[str, object] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "a":
            self.links.append(attributes.get("href") or "")
        if "data-copy" in attributes:
            self.copies[attributes["data-what"] or ""] = json.loads(attributes["data-copy"] or "")


@pytest.fixture
def briefly(writer: Writer) -> Iterator[Store]:
    """Store a message and delete it after the test: other tests read the text of the whole list."""
    documents: list[str] = []

    def store(**fields: Plain) -> str:
        documents.append(writer.message(**fields))
        return documents[-1]

    yield store
    writer.delete(*documents)


def test_attributes_are_sorted_with_filter_links_and_copy_buttons(viewer: Visitor, briefly: Store) -> None:
    document = briefly(attributes={"b": "two words", "a": HOSTILE, "c": ""})
    page = viewer.get(f"/messages/{document}?part=detail").text
    controls = Controls(page)
    filters = [link for link in controls.links if link.startswith("/messages?q=") and "?q=-" not in link]
    assert [link[:16] for link in filters] == ["/messages?q=a%3D", "/messages?q=b%3D", "/messages?q=c%3D"]
    assert filters[1] == "/messages?q=b%3D%22two+words%22"
    assert controls.copies["the value of a"] == HOSTILE
    assert controls.copies["the value of c"] == ""
    assert "empty" in Skeleton(page).texts


def test_ids_have_copy_buttons(viewer: Visitor, briefly: Store) -> None:
    document = briefly(message_id="77\u2028'\"<1>", ordering_key="user-7", sha256="ab" * 32)
    assert Controls(viewer.get(f"/messages/{document}").text).copies == {
        "the message id": "77\u2028'\"<1>",
        "the ordering key": "user-7",
        "the SHA-256": "ab" * 32,
        "the document's name": f"messages/{document}",
    }


def test_packed_payload_is_decoded_on_request(viewer: Visitor, briefly: Store) -> None:
    packed = base64.b64encode(gzip.compress(b'{"total": 10.50}', mtime=0))
    document = briefly(data=packed, kind="text", size_bytes=len(packed))
    first = viewer.get(f"/messages/{document}").text
    assert "10.50" not in first, "nothing is inflated unless asked for"
    assert f"/messages/{document}?view=decoded" in Controls(first).links
    decoded = Skeleton(viewer.get(f"/messages/{document}?view=decoded").text)
    assert "10.50" in decoded.texts
    assert "base64 (48 B) of gzip (36 B) of JSON (16 B)." in decoded.texts
    assert viewer.get(f"/messages/{document}/data").data == packed


@pytest.mark.parametrize("view", ["tree", "pretty", "raw", "hex"])
def test_hostile_json_keeps_every_view_intact(viewer: Visitor, briefly: Store, view: str) -> None:
    skeletons = []
    for data in (b'{"a":["b"]}', json.dumps({HOSTILE: [HOSTILE]}).encode()):
        document = briefly(data=data, kind="json", size_bytes=len(data))
        skeletons.append(Skeleton(viewer.get(f"/messages/{document}?view={view}").text).elements)
    assert skeletons[0] == skeletons[1]


def test_hostile_packed_payload_keeps_the_page_intact(viewer: Visitor, briefly: Store) -> None:
    skeletons = []
    for text in (HARMLESS, HOSTILE):
        data = gzip.compress(text.replace("\x00", "").encode())
        document = briefly(data=data, kind="binary", size_bytes=len(data))
        skeletons.append(Skeleton(viewer.get(f"/messages/{document}?view=decoded").text).elements)
    assert skeletons[0] == skeletons[1]


def test_summary_is_the_page_heading(viewer: Visitor, briefly: Store) -> None:
    document = briefly(attributes={"buildId": "8c7f2b6e-3a10", "status": HOSTILE})
    texts = Skeleton(viewer.get(f"/messages/{document}").text).texts
    assert any(text.startswith("Build </td></tr>") and text.endswith("8c7f2b6e") for text in texts)


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(38, "38 ms"), (0, "0 ms"), (130_000, "2 min 10 s"), (-1, "clocks differ")]
)
def test_latency_is_shown_and_never_negative(viewer: Visitor, briefly: Store, milliseconds: int, words: str) -> None:
    document = briefly(received_at=AN_HOUR_AGO, publish_time=AN_HOUR_AGO - timedelta(milliseconds=milliseconds))
    texts = Skeleton(viewer.get(f"/messages/{document}").text).texts
    at = texts.index("Latency")
    assert texts[at + 1].strip() == words
    assert "-" not in latency_text(AN_HOUR_AGO, AN_HOUR_AGO - timedelta(days=3))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (4.24, "4.2 s"),
        (59.96, "1 min 0 s"),
        (130.4, "2 min 10 s"),
        (3599.7, "1 h 0 min"),
        (86400 * 6 + 4 * 3600 + 59, "6 d 4 h"),
        (-5, "0 ms"),
    ],
)
def test_span_text_is_short(seconds: float, words: str) -> None:
    assert span_text(seconds) == words
