"""Passwords: scrypt hashes through Werkzeug, bounded.

A check costs 183 ms of CPU and 64 MiB, so at most two run at a time: who would wait long is told to try again.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.security import check_password_hash, generate_password_hash

from infra.errors import BusyError, InputError

MIN_CHARACTERS = 12
MAX_BYTES = 1024
_AT_A_TIME = 2
_WAIT_SECONDS = 5.0


class Passwords:
    """Hashes and compares passwords for one process."""

    def __init__(self) -> None:
        self._turns = threading.BoundedSemaphore(_AT_A_TIME)
        self._nobody = ""

    def hash(self, password: str) -> str:
        """The hash to store. Raises InputError for a password that is too short or too long."""
        check_password(password)
        with self._turn():
            return generate_password_hash(password)

    def matches(self, hashed: str | None, password: str) -> bool:
        """Whether ``password`` has this hash. None is compared with one that nothing matches, at the same cost."""
        if len(password.encode(errors="replace")) > MAX_BYTES:
            return False
        with self._turn():
            self._nobody = self._nobody or generate_password_hash(secrets.token_hex())
            matches = check_password_hash(hashed or self._nobody, password)
        return matches and hashed is not None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=_WAIT_SECONDS):
            raise BusyError("Too many people are signing in at this moment. Try again in a few seconds.")
        try:
            yield
        finally:
            self._turns.release()


def check_password(password: str) -> None:
    """Raise InputError unless ``password`` has 12 characters to 1,024 bytes."""
    if len(password) < MIN_CHARACTERS:
        raise InputError("password", f"has {len(password)} characters; {MIN_CHARACTERS} is the least.")
    if len(password.encode(errors="replace")) > MAX_BYTES:
        raise InputError("password", f"is longer than {MAX_BYTES} bytes.")
