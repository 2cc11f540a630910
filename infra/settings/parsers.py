"""One setting: an environment variable, what it means, and how its value is read.

A reader gets the text, trimmed, and raises ValueError with what is wanted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Setting:
    """One environment variable: ``default`` is None when it is required, ``meaning`` a sentence for people."""

    name: str
    default: str | None
    parse: Callable[[str], Any]
    meaning: str
    # What a command that does not need it sees.
    empty: Any = ""


def any_text(value: str) -> str:
    """Whatever it is."""
    return value


def subscription_ids(value: str) -> tuple[str, ...]:
    """Subscription ids: a letter first (cloud.google.com/pubsub/docs/pubsub-basics#resource_names)."""
    ids = several(value)
    for one in ids:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}", one):
            raise ValueError(f"subscription ids separated by commas, and {one!r} is not one")
    return ids


def several(value: str) -> tuple[str, ...]:
    """Parts between commas, at least one."""
    parts = _parts(value)
    if not parts:
        raise ValueError("at least one, separated by commas")
    return parts


def between(low: int, high: int) -> Callable[[str], int]:
    """A whole number."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def secure_url(value: str) -> str:
    """An https URL; http on this machine's loopback."""
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return value
    raise ValueError("an https URL (http only for this machine's loopback)")


def loopback_url(value: str) -> str:
    """A URL on this machine's loopback; may be empty."""
    if value and urlsplit(value).hostname not in _LOOPBACK:
        raise ValueError("a URL on this machine's loopback")
    return secure_url(value) if value else ""


def local_addresses(value: str) -> tuple[str, ...]:
    """Addresses on this machine, by commas; may be empty."""
    addresses = _parts(value)
    for one in addresses:
        # Nothing protects a cookie on plain http to another machine.
        if not re.fullmatch(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", one):
            raise ValueError(f"addresses such as http://localhost:8080 separated by commas, and {one!r} is not one")
    return addresses


def email_address(value: str) -> str:
    """The address of a service account."""
    if not re.fullmatch(r"[^@\s,]+@[^@\s,]+", value):
        raise ValueError("a service account's e-mail address")
    return value


def secret_text(value: str) -> str:
    """Long enough to sign with."""
    if len(value.encode()) < 32:
        raise ValueError("at least 32 bytes of randomness (the value is not shown)")
    return value


def password_text(value: str) -> str:
    """A password; may be empty."""
    if value and not 12 <= len(value.encode()) <= 1024:
        raise ValueError("12 to 1024 bytes (the value is not shown)")
    return value


def one_of(*choices: str) -> Callable[[str], str]:
    """One of several words."""

    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return value

    return parse


def masked_fields(value: str) -> tuple[str, ...]:
    """Names as filters have them, by commas; may be empty."""
    names = _parts(value)
    for one in names:
        if one.casefold().startswith("data.") and not all(step and step != "*" for step in one.split(".")):
            raise ValueError(
                f"attributes, ordering_key or data.PATH separated by commas, and {one!r} is none: "
                "the steps of a path are names, and it holds wherever a payload has them"
            )
    return names


def _parts(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())
