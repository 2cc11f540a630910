"""The exact counts beside a list, and the page of groups."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from infra.messages.message import index_tokens
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import SUBSCRIPTION, settings_for
from tests.support.firestore.writer import Writer
from tests.support.viewer.app import running
from tests.support.viewer.visitor import SCRIPT, Visitor, signed_in
from web.facets.index_counts import MAX_TERMS

HOSTILE = "<script>alert(1)</script>"
SECRET = "tell-nobody-4711"


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    """A viewer over messages of three services, of which two have failed; ``email`` is masked."""
    local = LocalFirestore()
    writer = Writer(local.address)
    for service, status, ms, number in (("pay", "OK", "10", 6), ("pay", "FAILED", "900", 2), (HOSTILE, "OK", "20", 3)):
        attributes = {"service": service, "status": status, "ms": ms, "email": SECRET}
        for _ in range(number):
            writer.message(attributes=attributes, tokens=list(index_tokens(attributes, ())), data=b"1234", size_bytes=4)
    with running(settings_for(local.address, MASKED_FIELDS="email", LOG_LEVEL="CRITICAL")) as made:
        yield made
    writer.close()
    local.close()


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return signed_in(app, "viewer")


@pytest.fixture(scope="module")
def operator(app: Flask) -> Visitor:
    return signed_in(app, "operator")


def counted(visitor: Visitor, *terms: str, **arguments: str) -> dict[str, int | None]:
    answer = visitor.get("/facets/counts", SCRIPT, query_string={"term": terms, **arguments})
    assert answer.status_code == 200, answer.text
    return {one["term"]: one["count"] for one in answer.get_json()["counts"]}


def table_of(page: str) -> list[list[str]]:
    """Return the cells of each row, without their first and last times."""
    body = page.partition("<tbody")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in body.split("<tr")[1:]]
    texts = [[" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in row] for row in rows]
    return [[*row[:4], *row[6:]] for row in texts]


def test_terms_are_counted_by_the_index_within_the_subscription(viewer: Visitor) -> None:
    terms = ("status=FAILED", "status=OK", "status=GONE")
    assert counted(viewer, *terms) == {"status=FAILED": 2, "status=OK": 9, "status=GONE": 0}
    assert counted(viewer, "status=OK", subscription=SUBSCRIPTION) == {"status=OK": 9}


def test_term_that_the_index_cannot_count_has_no_count(viewer: Visitor) -> None:
    assert counted(viewer, "status=FAILED", "-status=OK", "levl:high", q="service=pay") == {
        "status=FAILED": None,
        "-status=OK": None,
        "levl:high": None,
    }


@pytest.mark.parametrize("term", ["status=OK before:2000-01-01T00:00Z", "after:1h", "subscription:builds", "a=b c=d"])
def test_term_with_a_time_is_not_counted_since_all_share_the_count(viewer: Visitor, term: str) -> None:
    assert counted(viewer, term) == {term: None}
    assert counted(viewer, "status=OK") == {"status=OK": 9}


def test_invalid_filter_is_refused(viewer: Visitor) -> None:
    answer = viewer.get("/facets/counts", SCRIPT, query_string={"term": "a=b", "q": "levl:high"})
    assert answer.status_code == 400
    assert "levl: is not known" in answer.text


def test_masked_value_is_counted_for_operators_only(viewer: Visitor, operator: Visitor) -> None:
    assert counted(viewer, f"email={SECRET}") == {f"email={SECRET}": None}
    assert counted(operator, f"email={SECRET}") == {f"email={SECRET}": 11}


def test_number_of_terms_is_limited(viewer: Visitor) -> None:
    assert counted(viewer) == {}
    terms = [f"a={value}" for value in range(MAX_TERMS + 1)]
    answer = viewer.get("/facets/counts", SCRIPT, query_string={"term": terms})
    assert answer.status_code == 400
    assert f"at most {MAX_TERMS} times; found {MAX_TERMS + 1}." in answer.text


def test_unknown_subscription_is_refused(viewer: Visitor) -> None:
    answer = viewer.get("/facets/counts", SCRIPT, query_string={"term": "a=b", "subscription": "other"})
    assert answer.status_code in (400, 404)


def test_groups_are_shown_with_counts_shares_and_percentiles(viewer: Visitor) -> None:
    page = viewer.get("/groups", query_string={"by": "service", "number": "ms"}).text
    assert table_of(page) == [
        ["pay", "8", "72.7%", "8", "32 B", "10", "900", "Exclude"],
        ["&lt;script&gt;alert(1)&lt;/script&gt;", "3", "27.3%", "3", "12 B", "20", "20", "Exclude"],
    ]
    assert HOSTILE not in page
    assert "All 11 matches are counted." in page


def test_link_of_a_group_adds_its_term_to_the_filter(viewer: Visitor) -> None:
    page = viewer.get("/groups", query_string={"by": "service", "q": "status=FAILED"}).text
    assert 'href="/messages?q=status%3DFAILED+service%3Dpay"' in page
    assert 'href="/messages?q=status%3DFAILED+-service%3Dpay"' in page
    (row,) = table_of(page)
    assert row[:4] == ["pay", "2", "100.0%", "–"], "the index counts one field at a time"


def test_masked_field_has_one_group_for_viewers(viewer: Visitor, operator: Visitor) -> None:
    assert SECRET not in viewer.get("/groups", query_string={"by": "email"}).text
    assert SECRET in operator.get("/groups", query_string={"by": "email"}).text


@pytest.mark.parametrize(
    ("by", "sentence"),
    [
        (":other", "begins with a colon only in :severity, :kind, :subscription"),
        ("x" * 301, "has at most 300 characters; found 301"),
    ],
)
def test_field_that_cannot_be_grouped_by_is_named(viewer: Visitor, by: str, sentence: str) -> None:
    answer = viewer.get("/groups", query_string={"by": by})
    assert answer.status_code == 400
    assert sentence in answer.text


def test_filter_without_matches_has_no_groups(viewer: Visitor) -> None:
    assert "No message matches." in viewer.get("/groups", query_string={"by": "service", "q": "status=GONE"}).text


def test_sample_says_how_far_back_it_goes(app: Flask, viewer: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    from infra.firestore.search import SearchBounds
    from web.facets import views

    monkeypatch.setattr(views, "BOUNDS", SearchBounds(messages=5, seconds=2.0))
    page = " ".join(viewer.get("/groups", query_string={"by": "service"}).text.split())
    assert "A sample: the newest 5 matches, back to <time" in page
    assert "Subscope read 5 messages for it." in page


def test_rows_have_their_fields_and_no_masked_ones(viewer: Visitor, operator: Visitor) -> None:
    assert "service\tpay" in viewer.get("/messages").text
    assert f"email\t{SECRET}" not in viewer.get("/messages").text
    assert f"email\t{SECRET}" in operator.get("/messages").text
