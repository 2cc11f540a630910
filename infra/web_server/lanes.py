"""The lane of a request: requests without a session share few threads, so that strangers cannot take all. Pure."""

import re
from typing import Literal

Lane = Literal["stranger", "other"]

# A session's cookie, or the assertion of Identity-Aware Proxy. Whether it is valid only the application can tell, but a
# false one is refused at once.
_HAS_SESSION = re.compile(rb"\n(?i:cookie|authorization|x-goog-iap-jwt-assertion)[ \t]*:")
# A sign-in computes for a long time whatever cookie it carries.
_SIGN_IN = re.compile(rb"(?:\r\n)?POST /login[ ?]")
# The platform's check must be answered whatever strangers do.
_PROBE = re.compile(rb"(?:\r\n)?GET /healthz[ ?]")


def lane_of(head: bytes) -> Lane:
    """Return the lane of a request from its request line and headers."""
    if _PROBE.match(head):
        return "other"
    return "stranger" if _SIGN_IN.match(head) or not _HAS_SESSION.search(head) else "other"
