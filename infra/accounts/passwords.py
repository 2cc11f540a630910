"""Passwords: scrypt hashes through Werkzeug, bounded.

A check costs 183 ms of CPU and 64 MiB, so at most two run at a time. Who waits for that has a place
(``infra.accounts.sign_in_slots``).
"""

import secrets
import threading

from werkzeug.security import check_password_hash, generate_password_hash

from infra.errors import InputError

MIN_CHARACTERS = 12
MAX_BYTES = 1024
_AT_A_TIME = 2


class Passwords:
    """Hashes and compares passwords for one process."""

    def __init__(self) -> None:
        self._turns = threading.BoundedSemaphore(_AT_A_TIME)
        self._nobody = ""

    def hash(self, password: str) -> str:
        """The hash to store. Raises InputError for a password that is too short or too long."""
        check_password(password)
        with self._turns:
            return generate_password_hash(password)

    def matches(self, hashed: str | None, password: str) -> bool:
        """Whether ``password`` has this hash. None is compared with one that nothing matches, at the same cost."""
        with self._turns:
            self._nobody = self._nobody or generate_password_hash(secrets.token_hex())
            matches = check_password_hash(hashed or self._nobody, password)
        return matches and hashed is not None


def check_password(password: str) -> None:
    """Raise InputError unless ``password`` has 12 characters to 1,024 bytes."""
    if len(password) < MIN_CHARACTERS:
        raise InputError("password", f"has {len(password)} characters; {MIN_CHARACTERS} is the least.")
    if is_too_long(password):
        raise InputError("password", f"is longer than {MAX_BYTES} bytes.")


def is_too_long(password: str) -> bool:
    """Whether it is no password at all: nobody has one of more than 1,024 bytes."""
    return len(password.encode(errors="replace")) > MAX_BYTES
