"""The severity of a message in rows, on its page, in the API and in filters: stored, or computed from its fields."""

from infra.messages.severity import severity_in, token_of
from tests.support.firestore.writer import Writer
from tests.support.received import message
from tests.support.viewer.list_page import ids_in
from tests.support.viewer.visitor import Visitor
from web.messages.rows import row_html

MARK = '<span class="severity" data-level="{0}">{0}</span>'


def test_row_shows_the_stored_severity_or_the_computed_one() -> None:
    assert MARK.format("ALERT") in row_html(message(attributes={"severity": "alert"}))
    assert MARK.format("ERROR") in row_html(message(b'{"level": 50}', severity=""))
    assert 'class="severity"' not in row_html(message(b"<b>ERROR</b>"))


def test_stored_severity_is_in_pages_filters_and_the_api(viewer: Visitor, writer: Writer) -> None:
    attributes = {"shown": "severity", "level": "fatal"}
    level = severity_in(attributes, ())
    document = writer.message(attributes=dict(attributes), severity=level, tokens=[*token_of(level), "shown=severity"])
    other = writer.message(attributes={"shown": "severity", "level": "info"}, tokens=["shown=severity"])
    assert ids_in(viewer.get("/messages?q=severity%3Dcritical+shown%3Dseverity").text) == [document]
    assert MARK.format("CRITICAL") in viewer.get("/messages?q=shown%3Dseverity").text
    assert 'href="/messages?q=severity%3DCRITICAL"' in viewer.get(f"/messages/{document}").text
    for one, severity in ((document, "CRITICAL"), (other, "INFO")):
        answer = viewer.get(f"/api/v1/messages/{one}")
        assert answer.json is not None
        assert answer.json["severity"] == severity
