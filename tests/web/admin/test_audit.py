"""The audit log and the refused pushes: newest first, by cursor, filtered, with hostile text in them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.visitor import Skeleton, Visitor, add_user, services_of

HOSTILE = "</td></tr></table><script>alert(1)</script>\"'`{{7*7}}\u202e\x00"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def audited(firestore: LocalFirestore) -> Iterator[Flask]:
    """Make a viewer with a separate database, so that no other test writes into it."""
    database = f"audit-{uuid4().hex[:8]}"
    with running(settings_for(firestore.address, FIRESTORE_DATABASE=database, LOG_LEVEL="CRITICAL")) as app:
        yield app


@pytest.fixture(scope="module")
def admin(audited: Flask) -> Visitor:
    return Visitor(audited, add_user(audited, "the-admin", "admin"))


def write(app: Flask, collection: str, **fields: Any) -> None:
    services_of(app).database.documents.collection(collection).document().create(fields)


def whats(page: str) -> list[str]:
    return re.findall(r'<td role="cell" class="mono whole"[^>]*>(work\.[0-9]+)</td>', page)


def test_audit_pages_have_no_gap_and_no_repetition(audited: Flask, admin: Visitor) -> None:
    for number in range(120):
        at = START + timedelta(seconds=number // 3)
        write(audited, "audit", at=at, who=f"w{number % 2}", what=f"work.{number:03d}", target="t", detail="done")
    seen, path = list[str](), "/audit"
    while path:
        page = admin.get(path).text
        seen += whats(page)
        link = re.search(r'rel="next" href="([^"]+)"', page)
        path = unescape(link.group(1)) if link else ""
    assert len(seen) == len(set(seen)) == 120
    assert [one[:-1] for one in seen[:9]] == ["work.11"] * 9
    found = whats(admin.get("/audit?who=W1&what=work.01").text)
    assert sorted(found) == [f"work.{one:03d}" for one in (11, 13, 15, 17, 19)]
    assert "Nothing matches." in admin.get("/audit?who=nobody").text


def test_hostile_text_changes_no_audit_page(audited: Flask, admin: Visitor) -> None:
    def skeleton(text: str) -> list[tuple[str, ...]]:
        who = uuid4().hex
        write(audited, "audit", at=datetime.now(UTC), who=who, what=text, target=text, detail=text)
        return Skeleton(admin.get(f"/audit?who={who}").text).elements

    assert skeleton(HOSTILE) == skeleton("harmless")


def test_audit_entries_of_any_shape_are_shown(audited: Flask, admin: Visitor) -> None:
    who = uuid4().hex
    write(audited, "audit", at=datetime.now(UTC), who=who, what=7, target=["x"], detail=None)
    assert admin.get(f"/audit?who={who}").status_code == 200


@pytest.mark.parametrize("path", ["/audit", "/rejections"])
@pytest.mark.parametrize("before", ["x", "1-", "1-a/b", "9" * 18 + "-a"])
def test_malformed_cursor_answers_400(admin: Visitor, path: str, before: str) -> None:
    answer = admin.get(f"{path}?before={before}")
    assert answer.status_code == 400
    assert "before: a cursor" in answer.text


def test_refused_pushes_are_shown_with_their_claims(audited: Flask, admin: Visitor) -> None:
    assert "nothing that Google signed was refused" in admin.get("/rejections").text
    claims = {"iss": "https://accounts.google.com", "aud": HOSTILE, "email": "x@y", "email_verified": True, "exp": 1}
    write(audited, "rejections", at=START, reason="audience", detail=HOSTILE, claims=claims)
    write(audited, "rejections", at=START + timedelta(seconds=1), reason="account", detail="x", claims="broken by hand")
    page = admin.get("/rejections").text
    assert page.index(">account<") < page.index(">audience<")
    assert re.search(r"<dt>email_verified</dt>\s*<dd>True</dd>", page)
    assert "<script>alert" not in page
    assert "https://receiver.example/push" in page, "the expected settings are shown above"
