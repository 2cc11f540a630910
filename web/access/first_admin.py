"""The first administrator, made in the background once Firestore answers, so that the start never waits for it."""

import threading
import time

from infra.accounts.password_rules import check_password
from infra.accounts.user_store import UserStore
from infra.errors import BusyError, InputError, SettingsError, StoreError
from infra.logs import Logger

_RETRY_SECONDS = 10.0
_MAX_WAITING = 4


class FirstAdmin:
    """Creates the user ``admin`` once per process, if there is no user at all. Thread-safe."""

    def __init__(self, users: UserStore, password: str, log: Logger) -> None:
        """``password`` is the setting ADMIN_PASSWORD; if it is empty, a random password is created and logged.

        Raises SettingsError for a password that no user may choose.
        """
        try:
            if password:
                check_password(password, "admin")
        except InputError as exc:
            raise SettingsError(f"ADMIN_PASSWORD {exc.predicate}") from exc
        self._users, self._password, self._log = users, password, log
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_MAX_WAITING)
        self._begun = threading.Event()
        self._done = False

    def begin(self) -> None:
        """Start the background thread, once per process.

        Call it in the worker process: a thread does not survive gunicorn's fork.
        """
        if self._begun.is_set():
            return
        with self._lock:
            begun_by_another = self._begun.is_set()
            self._begun.set()
        if not begun_by_another:
            threading.Thread(target=self._retry_until_done, name="first-admin", daemon=True).start()

    def ensure(self) -> None:
        """Create the administrator now, unless that is done. Raises StoreError, and BusyError if four calls wait."""
        if self._done:
            return
        if not self._waiting.acquire(blocking=False):
            raise BusyError("The first administrator is being created. Try again in a few seconds.")
        try:
            self._create()
        finally:
            self._waiting.release()

    def _create(self) -> None:
        with self._lock:
            if self._done:
                return
            random_password = self._users.ensure_first_admin(self._password)
            self._done = True
        if random_password:
            # The only password that is ever logged: the first sign-in needs it, and it is not shown again.
            self._log.warning(
                f"First administrator: user admin, password {random_password} (change it after signing in)"
            )

    def _retry_until_done(self) -> None:
        while not self._done:
            try:
                self.ensure()
            except (BusyError, StoreError) as exc:
                self._log.warning("The first administrator could not be created yet.", reason=str(exc))
                time.sleep(_RETRY_SECONDS)
