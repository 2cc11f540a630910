"""Names and constants of the account tests."""

from test_utils.prefixer import Prefixer

from infra.accounts.user import User
from infra.accounts.user_store import UserStore

NAMES = Prefixer("subscope", "tests", separator="-")  # type: ignore[no-untyped-call]
PASSWORD = "correct horse battery"
HOME = "203.0.113.7"


def existing_user(users: UserStore, name: str) -> User:
    """Return a user that the test has added."""
    user = users.get(name)
    assert user is not None, f"there is no user {name}"
    return user
