"""One person who may sign in, as the fields of ``users/{name}`` say it. Pure."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from infra.errors import InputError

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

# E-mail addresses fit, so that people behind Identity-Aware Proxy can be users; "/" and "." alone would be other paths.
NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")


@dataclass(frozen=True, slots=True)
class User:
    """One person. Times are aware UTC; ``last_seen_at`` is None before the first sign-in.

    ``generation`` is a new one with each new password or role, and a session counts in the one it began in: none
    outlives them, even one that began at the very moment. It is empty where neither has changed since there are any.
    """

    name: str
    role: Role
    created_at: datetime | None = None
    last_seen_at: datetime | None = None
    generation: str = ""

    def may(self, role: Role) -> bool:
        """Whether this person may do what ``role`` may: an admin all, an operator what a viewer may, too."""
        return ROLES.index(self.role) >= ROLES.index(role)


def user_of(name: str, fields: dict[str, Any]) -> User:
    """The user in a document's fields; a role that somebody mistyped in the console is the least one."""
    role = fields.get("role")
    return User(
        name,
        role if role in ROLES else "viewer",
        fields.get("created_at"),
        fields.get("last_seen_at"),
        generation_of(fields),
    )


def generation_of(fields: dict[str, Any]) -> str:
    """The generation in a user's or a session's fields."""
    return str(fields.get("generation") or "")


def new_generation() -> str:
    """One that nobody had before: not even a user of the same name who was removed."""
    return secrets.token_hex(8)


def check_name(name: str) -> None:
    """Raise InputError unless somebody may be called so."""
    if not NAME.fullmatch(name):
        raise InputError("name", "is 1 to 100 small letters, digits and . _ @ + -, a letter or digit first.")


def checked_role(role: str) -> Role:
    """``role`` when it is one. Raises InputError."""
    for one in ROLES:
        if role == one:
            return one
    raise InputError("role", f"is one of {', '.join(ROLES)}; found {role!r}.")
