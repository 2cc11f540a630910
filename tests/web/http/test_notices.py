"""A notice appears only after a navigation within the viewer, never through a link from another site."""

import re

import pytest
from flask import Flask

from tests.support.viewer.visitor import PAGE, Visitor, signed_in

NOTICES = ("/messages?notice=password", "/messages?notice=saved", "/filters?notice=deleted")
SITES = ("same-origin", "same-site", "cross-site", "none")
ADMINS_NOTICES = ("/users?notice=role&name=viewer", "/sessions?notice=ended")


@pytest.fixture(scope="module")
def admin(app: Flask) -> Visitor:
    return signed_in(app, "admin")


def has_notice(page: str) -> bool:
    return re.search(r'<p class="good( page-notice)?" role="status">', page) is not None


@pytest.mark.parametrize("path", [*NOTICES, *ADMINS_NOTICES])
@pytest.mark.parametrize(("site", "shown"), [("same-origin", True), ("same-site", False), ("none", False)])
def test_notice_appears_after_a_navigation_within_the_site(admin: Visitor, path: str, site: str, shown: bool) -> None:
    page = admin.get(path, {**PAGE, "Sec-Fetch-Site": site})
    assert page.status_code == 200
    assert has_notice(page.text) is shown


def test_link_from_another_site_shows_no_notice(admin: Visitor) -> None:
    for path in (*NOTICES, *ADMINS_NOTICES):
        assert not has_notice(admin.get(path, {**PAGE, "Sec-Fetch-Site": "cross-site"}).text)


def test_link_from_another_site_does_not_claim_a_sign_out(app: Flask) -> None:
    said = {site: Visitor(app).get("/login?notice=out", {**PAGE, "Sec-Fetch-Site": site}).text for site in SITES}
    assert [site for site, page in said.items() if "signed out" in page] == ["same-origin"]


@pytest.mark.parametrize("path", NOTICES)
def test_notice_appears_without_fetch_metadata(admin: Visitor, path: str) -> None:
    assert has_notice(admin.get(path).text)
