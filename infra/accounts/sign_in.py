"""Sign-in with a name and a password: a place in the queue, a counted attempt, and only then the hash."""

from infra.accounts.passwords import Passwords, is_too_long
from infra.accounts.sign_in_attempts import SignInAttempts, network_of
from infra.accounts.sign_in_queue import SignInQueue
from infra.accounts.user import User, user_of
from infra.errors import DocumentNotFoundError, SubscopeError
from infra.firestore.client import Database

_WRONG = "The name or the password is wrong."


class SignInError(SubscopeError):
    """The name or the password is wrong; the text never says which one."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_WRONG)


class SignIn:
    """Compares names and passwords for one process."""

    def __init__(self, database: Database, passwords: Passwords, key: str, queue: SignInQueue) -> None:
        """``key`` is the same secret for all instances, see ``SignInAttempts``."""
        self._passwords = passwords
        self._attempts = SignInAttempts(database, key)
        self._queue = queue

    def authenticate(self, name: str, password: str, address: str) -> User:
        """Return the user with this name and password. ``address`` is the client's.

        Raises SignInError (401), LockedError (429), BusyError (503), StoreError.
        """
        if is_too_long(password):
            raise SignInError
        network = network_of(address)
        self._attempts.refuse_locked(network)
        with self._queue.place(network):
            attempt = self._attempts.begin(name, network)
            hashed = attempt.fields.get("password_hash") if attempt.fields else None
            if not self._passwords.matches(hashed, password) or attempt.fields is None:
                self._attempts.record_failure(attempt)
                raise SignInError
            try:
                self._attempts.record_success(attempt)
            except DocumentNotFoundError as exc:  # removed since the password was compared
                raise SignInError from exc
            return user_of(name, attempt.fields)
