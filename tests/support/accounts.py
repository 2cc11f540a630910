"""Names, addresses and constants of the account tests."""

import secrets
from ipaddress import IPv6Address

from test_utils.prefixer import Prefixer

from infra.accounts.user import User
from infra.accounts.user_store import UserStore

NAMES = Prefixer("subscope", "tests", separator="-")  # type: ignore[no-untyped-call]
PASSWORD = "correct horse battery"
HOME = "203.0.113.7"


def new_address() -> str:
    """Return the address of a client in a network that no other test uses: attempts are counted for networks."""
    return str(IPv6Address(secrets.randbits(128) | 0x2001 << 112))


def existing_user(users: UserStore, name: str) -> User:
    """Return a user that the test has added."""
    user = users.get(name)
    assert user is not None, f"there is no user {name}"
    return user
