"""Reads a signed token (JWT) strictly, before any key is asked for. Pure; checks no signature.

google-auth is lenient here: the last of two equal claims wins, a time may be NaN or years ahead, ``crit`` is ignored.

Source: RFC 7515, RFC 7519, RFC 8725.
"""

import json
import re
from binascii import a2b_base64, b2a_base64
from dataclasses import dataclass
from typing import Any

from infra.errors import TokenError
from infra.strict_json import StrictJsonError, parse_object

_FAR_FUTURE = 1e12  # the year 33658
_JWT = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token's parts. ``signature`` is still text; ``signed`` is the text that it signs."""

    header: dict[str, Any]
    payload: dict[str, Any]
    signed: str
    signature: str

    @property
    def signature_bytes(self) -> bytes:
        """The decoded signature. Raises TokenError."""
        return _decode(self.signature, "signature")


def parse_token(token: str) -> SignedToken:
    """Read the three parts of a token. Raises TokenError (401) for anything but canonical base64url and strict JSON."""
    parts = _JWT.fullmatch(token)
    if not parts:
        raise TokenError("malformed", "The token is not three parts of base64url.")
    header, payload, signature = parts.groups()
    return SignedToken(_json(header, "header"), _json(payload, "payload"), f"{header}.{payload}", signature)


def key_id(header: dict[str, Any], algorithm: str) -> str:
    """Return the id of the key of a token that is signed with ``algorithm``. Raises TokenError."""
    if header.get("alg") != algorithm:
        raise TokenError("alg", f"The token is not signed with {algorithm}.")
    # A critical extension must be understood (RFC 7515, section 4.1.11); we understand none.
    if "crit" in header or "b64" in header:
        raise TokenError("crit", "The token uses an extension that is not supported.")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise TokenError("kid", "The token names no key.")
    return kid


def time_claim(payload: dict[str, Any], name: str) -> float:
    """Return a claim that is a time, in seconds since 1970. Raises TokenError."""
    value = payload.get(name)
    # JSON 1e400 becomes infinity, 400 digits an int beyond float, and True is an int.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _FAR_FUTURE:
        raise TokenError("malformed", f"The token's {name} is not a time.")
    return float(value)


def _decode(part: str, name: str) -> bytes:
    """Decode strict base64url without padding (RFC 7515, section 2), canonical only: one text for one value."""
    standard = part.replace("-", "+").replace("_", "/")
    try:
        raw = a2b_base64(standard + "=" * (-len(part) % 4), strict_mode=True)
    except ValueError as exc:
        raise TokenError("malformed", f"The token's {name} is not base64url.") from exc
    if b2a_base64(raw, newline=False).rstrip(b"=") != standard.encode():
        raise TokenError("malformed", f"The token's {name} is not canonical base64url.")
    return raw


def _json(part: str, name: str) -> dict[str, Any]:
    try:
        parsed = parse_object(_decode(part, name))
        # JSON escapes may contain half a surrogate pair, which neither a log nor Firestore accepts.
        json.dumps(parsed, ensure_ascii=False).encode()
    except RecursionError as exc:  # writing needs one level more than reading
        raise TokenError("malformed", f"The token's {name} cannot be read: it is nested too deeply.") from exc
    except (StrictJsonError, UnicodeEncodeError) as exc:
        raise TokenError("malformed", f"The token's {name} cannot be read: {exc}.") from exc
    return parsed
