"""The list page as text, and payloads that could break it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from tests.support.viewer.visitor import Visitor
from tests.support.waiting import wait_until

HOSTILE = "</td></tr></table><script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{7*7}}{%x%}\u202e\x00\r\n"
HARMLESS = "hello"


def hours_ago(hours: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)


def ids_in(page: str) -> list[str]:
    return re.findall(r'<tr class="message"[^>]* data-id="([0-9a-f]{32})"', page)


def settled(visitor: Visitor, path: str, **options: Any) -> TestResponse:
    """Get a page with a complete timeline: the counts run in the background, again in each minute."""
    answers: list[TestResponse] = []

    def is_counted() -> bool:
        answers.append(visitor.get(path, **options))
        return "data-pending" not in answers[-1].text

    wait_until(is_counted, "the timeline's counts")
    return answers[-1]
