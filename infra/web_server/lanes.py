"""The lane of a request: requests without a session share few threads, so that strangers cannot take all. Pure."""

import re
from typing import Literal

Lane = Literal["stranger", "other"]

# A session's cookie, or the assertion of Identity-Aware Proxy. Whether it is valid only the application can tell, but a
# false one is refused at once.
_HAS_SESSION = re.compile(rb"\n(?i:cookie|authorization|x-goog-iap-jwt-assertion)[ \t]*:")
# The platform's check must be answered while strangers wait. The fair queue of sign-ins
# (infra.accounts.sign_in_queue) must see all of them to be fair.
_OTHER = re.compile(rb"(?:\r\n)?(?:GET /healthz|POST /login)[ ?]")


def lane_of(head: bytes) -> Lane:
    """Return the lane of a request from its request line and headers."""
    return "other" if _OTHER.match(head) or _HAS_SESSION.search(head) else "stranger"
