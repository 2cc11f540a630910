"""Exact filters: a link changes whole terms only, and a late message appears in the searched range."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from infra.firestore.search import BOUNDS
from tests.support.browser.actions import filter_of
from tests.support.browser.person import Person, Visit
from tests.support.browser.writing import writer_at
from tests.support.firestore.writer import Writer
from tests.support.local_cloud import Cloud, StartCloud


@pytest.fixture
def own(own_cloud: StartCloud) -> Cloud:
    """A cloud of this test only, so that the test decides the order of the messages."""
    return own_cloud()


@pytest.fixture
def writer(own: Cloud) -> Iterator[Writer]:
    """A writer that stores messages with any time in this cloud."""
    with writer_at(own) as made:
        yield made


def test_late_message_in_the_searched_range_is_shown(visit: Visit, own: Cloud, writer: Writer) -> None:
    newest = datetime.now(UTC)
    first = writer.message(preview="needle", data=b"needle", received_at=newest)
    for batch in range(1, 2 * BOUNDS.messages // 400 + 2):
        writer.messages(400, preview="hay", data=b"hay", received_at=newest - timedelta(milliseconds=10 * batch))
    ana = visit(cloud=own, at="/messages?q=needle")
    ana.wait_until_live()
    # There are more messages than two searches examine: a short page continues the search once by itself.
    ana.page.wait_for_selector('a:text-is("Search older")')
    assert ana.rows() == [first]
    late = writer.message(preview="needle", data=b"needle", received_at=newest - timedelta(milliseconds=15))
    ana.page.wait_for_selector(f'tr.message[data-id="{late}"]')
    assert ana.rows() == [first, late]


# Other cases need no browser: tests/javascript/filter_text.test.js. These show that the server reads the result.
@pytest.mark.parametrize(
    ("quoted", "wanted"),
    [
        (r'"a \" -status=FAILED b"', r'"a \" -status=FAILED b" status=FAILED'),
        ("-status=FAILED OR team~", "-status=FAILED OR team~ status=FAILED"),
    ],
    ids=["escaped quote", "in an alternative"],
)
def test_chip_keeps_quoted_text_unchanged(person: Person, cloud: Cloud, quoted: str, wanted: str) -> None:
    team = uuid4().hex
    text = 'a " -status=FAILED b'
    one = cloud.publish(text.encode(), team=team, status="FAILED")
    person.open("/messages")
    person.see(one)
    person.page.fill("#q", f"team={team} {quoted}")
    person.page.press("#q", "Enter")
    person.page.wait_for_url("**/messages?q=team*")
    before = person.page.url
    person.row(one).locator('.chip:has-text("FAILED")').click()
    person.page.wait_for_url(lambda url: url != before)
    person.wait_until_live()
    assert filter_of(person) == f"team={team} {wanted}"
    assert person.row(one).count() == 1
