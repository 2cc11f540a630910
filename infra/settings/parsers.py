"""One setting: an environment variable, its meaning, and the parser of its value.

A parser takes the trimmed text and raises ValueError with a description of the wanted value.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Setting:
    """One environment variable. ``default`` None: required. ``meaning``: its description in the documentation."""

    name: str
    default: str | None
    parse: Callable[[str], Any]
    meaning: str
    # The value for a command that does not need the setting.
    empty: Any = ""


def any_text(value: str) -> str:
    """Accept any text."""
    return value


def subscription_ids(value: str) -> tuple[str, ...]:
    """Parse subscription ids, which start with a letter (cloud.google.com/pubsub/docs/pubsub-basics#resource_names)."""
    ids = several(value)
    for subscription in ids:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}", subscription):
            raise ValueError(f"subscription ids separated by commas, and {subscription!r} is not one")
    return ids


def several(value: str) -> tuple[str, ...]:
    """Split at commas; at least one part."""
    parts = _parts(value)
    if not parts:
        raise ValueError("at least one, separated by commas")
    return parts


def between(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``low`` to ``high``."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def secure_url(value: str) -> str:
    """Accept an https URL, or http on this machine's loopback."""
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return value
    raise ValueError("an https URL (http only for this machine's loopback)")


def loopback_url(value: str) -> str:
    """Accept a URL on this machine's loopback; may be empty."""
    if value and urlsplit(value).hostname not in _LOOPBACK:
        raise ValueError("a URL on this machine's loopback")
    return secure_url(value) if value else ""


def local_addresses(value: str) -> tuple[str, ...]:
    """Parse addresses on this machine, separated by commas; may be empty."""
    addresses = _parts(value)
    for address in addresses:
        # Plain http to another machine would expose the cookie.
        if not re.fullmatch(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", address):
            raise ValueError(f"addresses such as http://localhost:8080 separated by commas, and {address!r} is not one")
    return addresses


def public_addresses(value: str) -> tuple[str, ...]:
    """Parse https addresses without a path, separated by commas, in lower case; may be empty."""
    addresses = tuple(part.lower() for part in _parts(value))
    for address in addresses:
        if not re.fullmatch(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", address):
            raise ValueError(f"addresses such as https://subscope.example.com by commas, and {address!r} is not one")
    return addresses


def email_address(value: str) -> str:
    """Accept the e-mail address of a service account."""
    if not re.fullmatch(r"[^@\s,]+@[^@\s,]+", value):
        raise ValueError("a service account's e-mail address")
    return value


def secret_text(value: str) -> str:
    """Accept a secret of at least 32 bytes."""
    if len(value.encode()) < 32:
        raise ValueError("at least 32 bytes of randomness (the value is not shown)")
    return value


def password_text(value: str) -> str:
    """Accept a password; may be empty."""
    if value and not 12 <= len(value.encode()) <= 1024:
        raise ValueError("12 to 1024 bytes (the value is not shown)")
    return value


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser that accepts one of ``choices``."""

    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return value

    return parse


def masked_fields(value: str) -> tuple[str, ...]:
    """Parse field names, written as in filters and separated by commas; may be empty."""
    names = _parts(value)
    for name in names:
        if name.casefold().startswith("data.") and not all(step and step != "*" for step in name.split(".")):
            raise ValueError(
                f"attributes, ordering_key or data.PATH separated by commas, and {name!r} is none: "
                "the steps of a path are names, and it holds wherever a payload has them"
            )
    return names


def _parts(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())
