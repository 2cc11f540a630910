"""Passwords: scrypt hashes through Werkzeug, with bounded length and concurrency.

A check costs 183 ms of CPU and 64 MiB, so at most two run at a time. A sign-in that waits for its turn holds a place
(``infra.accounts.sign_in_queue``). ``infra.accounts.password_rules`` says which passwords a user may choose.
"""

import secrets
import threading

from werkzeug.security import check_password_hash, generate_password_hash

from infra.accounts.password_rules import MAX_BYTES, check_password
from infra.errors import InputError

_MAX_CONCURRENT = 2


class Passwords:
    """Hashes and compares passwords for one process."""

    def __init__(self) -> None:
        self._turns = threading.BoundedSemaphore(_MAX_CONCURRENT)
        self._decoy_hash = ""

    def hash(self, password: str) -> str:
        """Return the hash to store."""
        with self._turns:
            return generate_password_hash(password)

    def matches(self, hashed: str | None, password: str) -> bool:
        """Tell whether ``password`` has this hash.

        None, for an unknown user, is False at the same cost: the password is compared with a decoy hash, so that the
        response time does not reveal which names exist.
        """
        with self._turns:
            self._decoy_hash = self._decoy_hash or generate_password_hash(secrets.token_hex())
            matches = check_password_hash(hashed or self._decoy_hash, password)
        return matches and hashed is not None


def generated_password(name: str) -> str:
    """Return a random password of 24 characters that the rules accept.

    The rules refuse about one random password in millions; then the loop draws another.
    """
    while True:
        password = secrets.token_urlsafe(18)
        try:
            check_password(password, name)
        except InputError:
            continue
        return password


def is_too_long(password: str) -> bool:
    """Tell whether it is longer than any password: more than 1,024 bytes."""
    return len(password.encode(errors="replace")) > MAX_BYTES
