"""The list page as text, and payloads that could break it."""

import re
from datetime import UTC, datetime, timedelta

HOSTILE = "</td></tr></table><script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{7*7}}{%x%}\u202e\x00\r\n"
HARMLESS = "hello"


def hours_ago(hours: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)


def ids_in(page: str) -> list[str]:
    return re.findall(r'<tr class="message"[^>]* data-id="([0-9a-f]{32})"', page)
