"""One user, as the fields of ``users/{name}`` describe them. Pure."""

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
    """One user. Times are aware UTC; ``last_seen_at`` is None before the first sign-in.

    ``generation`` is new with each new password or role, and a session is valid only in the generation it began in. So
    no session outlives a change, even one that began while the change was written. It is empty for a user who was made
    before generations existed and had no change since.
    """

    name: str
    role: Role
    created_at: datetime | None = None
    last_seen_at: datetime | None = None
    generation: str = ""

    def may(self, role: Role) -> bool:
        """Tell whether this user has the rights of ``role``: an admin has all, an operator has a viewer's."""
        return ROLES.index(self.role) >= ROLES.index(role)


def user_of(name: str, fields: dict[str, Any]) -> User:
    """Return the user in a document's fields. A role mistyped in the Google Cloud console counts as viewer."""
    role = fields.get("role")
    return User(
        name,
        role if role in ROLES else "viewer",
        fields.get("created_at"),
        fields.get("last_seen_at"),
        generation_of(fields),
    )


def generation_of(fields: dict[str, Any]) -> str:
    """Return the generation in the fields of a user or of a session."""
    return str(fields.get("generation") or "")


def new_generation() -> str:
    """Return a generation that no user has had, not even a removed user of the same name."""
    return secrets.token_hex(8)


def check_name(name: str) -> None:
    """Raise InputError unless a user can have this name."""
    if not NAME.fullmatch(name):
        raise InputError("name", "is 1 to 100 small letters, digits and . _ @ + -, a letter or digit first.")


def checked_role(role: str) -> Role:
    """Return ``role`` if it is one. Raises InputError."""
    for known in ROLES:
        if role == known:
            return known
    raise InputError("role", f"is one of {', '.join(ROLES)}; found {role!r}.")
