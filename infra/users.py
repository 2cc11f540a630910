"""The people who may sign in: ``users/{name}``, their roles, passwords and lockouts.

An attempt to sign in takes a place and is counted before its password is hashed, and an unknown name costs what a known
one does.
"""

import secrets
from collections.abc import Callable
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition
from google.cloud.firestore import SERVER_TIMESTAMP, LastUpdateOption
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.audit import audit_fields
from infra.errors import (
    BusyError,
    DocumentExistsError,
    DocumentNotFoundError,
    InputError,
    SubscopeError,
)
from infra.firestore.border import firestore_errors
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database
from infra.lockout import NO_STRIKES, Attempts, network_of
from infra.passwords import Passwords, check_password, is_too_long
from infra.places import Places
from infra.user import NAME, Role, User, check_name, checked_role, user_of

_WRONG = "The name or the password is wrong."
_TRIES = 10


class SignInError(SubscopeError):
    """The name or the password is wrong; it never says which."""

    status = 401


class Users:
    """The users of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._passwords = Passwords()
        self._attempts = Attempts(database)
        self._places = Places()

    def get(self, name: str) -> User | None:
        """One user; None when there is no such user. Raises StoreError."""
        if not NAME.fullmatch(name):
            return None
        with firestore_errors("reading a user"):
            found = self._document(name).get(retry=None, timeout=READ_SECONDS)
        return user_of(name, found.to_dict()) if found.exists else None

    def all(self) -> list[User]:
        """All users by name. Raises StoreError."""
        with firestore_errors("listing users"):
            found = self._database.documents.collection("users").stream(retry=None, timeout=READ_SECONDS)
            return sorted((user_of(one.id, one.to_dict()) for one in found), key=lambda user: user.name)

    def authenticate(self, name: str, password: str, *, address: str) -> User:
        """The user with this name and password. ``address`` is that of who asks.

        Raises SignInError (401), LockedError (429), BusyError (503), StoreError.
        """
        if is_too_long(password):
            raise SignInError(_WRONG)
        network = network_of(address)
        with self._places.place(network):
            fields = self._matched(name, password, network)
            self._attempts.forget(name, network)
            with firestore_errors("signing in"):
                self._document(name).update(
                    NO_STRIKES | {"last_seen_at": SERVER_TIMESTAMP}, retry=None, timeout=WRITE_SECONDS
                )
        return user_of(name, fields)

    def add(self, name: str, password: str, role: Role, *, by: str) -> User:
        """Add a user. Raises InputError (400), DocumentExistsError (409), StoreError."""
        check_name(name)
        hashed = self._passwords.hash(password)
        fields = {
            "password_hash": hashed,
            "role": checked_role(role),
            "created_at": SERVER_TIMESTAMP,
            "last_seen_at": None,
            **NO_STRIKES,
        }
        batch = self._database.documents.batch()
        batch.create(self._document(name), fields)
        self._record(batch, by, "user.add", name, f"role {role}")
        try:
            self._commit(batch, f"adding user {name}")
        except DocumentExistsError as exc:
            raise DocumentExistsError(f"There is a user {name} already.") from exc
        return User(name, role)

    def change_password(self, name: str, current: str, new: str, *, address: str) -> None:
        """Set a new password, given the current one, and end all the user's sessions.

        Raises as ``authenticate`` and ``set_password``.
        """
        check_password(new)
        self.authenticate(name, current, address=address)
        self.set_password(name, new, by=name)

    def set_password(self, name: str, new: str, *, by: str) -> None:
        """Set a new password and end all the user's sessions. Raises InputError, DocumentNotFoundError, StoreError."""
        changes = {"password_hash": self._passwords.hash(new), **NO_STRIKES}
        self._change(name, changes, by, "user.password", "")

    def set_role(self, name: str, role: Role, *, by: str) -> None:
        """Give a user another role and end all the user's sessions.

        Raises as ``set_password``, and InputError when nobody would be left who may add users.
        """
        check_name(name)
        if checked_role(role) == "admin":
            self._change(name, {"role": role}, by, "user.role", role)
        else:
            self._without_admin(
                name, by, "user.role", role, lambda batch: batch.update(self._document(name), {"role": role})
            )

    def remove(self, name: str, *, by: str) -> None:
        """Remove a user and all the user's sessions. Raises as ``set_role``."""
        check_name(name)
        self._without_admin(name, by, "user.remove", "", lambda batch: batch.delete(self._document(name)))

    def ensure_first_admin(self, password: str) -> str | None:
        """Make the user ``admin`` when there is no user at all; return the password if it was made up here.

        ``password`` is what the deployment chose; empty means make one up. Raises StoreError.
        """
        with firestore_errors("looking for users"):
            users = self._database.documents.collection("users").limit(1)
            if users.get(retry=None, timeout=READ_SECONDS):
                return None
        chosen = password or secrets.token_urlsafe(18)
        try:
            self.add("admin", chosen, "admin", by="first start")
        except DocumentExistsError:
            return None  # another instance was quicker
        return None if password else chosen

    def _document(self, name: str) -> Any:
        return self._database.documents.collection("users").document(name)

    def _matched(self, name: str, password: str, network: str) -> dict[str, Any]:
        """The fields of the user with this password, the attempt counted. Raises as ``authenticate``."""
        # What cannot be a name is nobody's to guess: nothing of it is remembered.
        fields = self._attempts.count(name, network) if NAME.fullmatch(name) else None
        if self._passwords.matches(fields.get("password_hash") if fields else None, password) and fields:
            return fields
        raise SignInError(_WRONG)

    def _change(self, name: str, changes: dict[str, Any], by: str, what: str, detail: str) -> None:
        check_name(name)
        batch = self._database.documents.batch()
        batch.update(self._document(name), changes)
        self._end_sessions(batch, name)
        self._record(batch, by, what, name, detail)
        try:
            self._commit(batch, f"changing user {name}")
        except DocumentNotFoundError as exc:
            raise DocumentNotFoundError(f"There is no user {name}.") from exc

    def _without_admin(self, name: str, by: str, what: str, detail: str, change: Callable[[Any], None]) -> None:
        """Change a user who is no admin afterwards, and only if another one is left at that very moment."""
        for _ in range(_TRIES):
            user, other = self._read_for_change(name)
            batch = self._database.documents.batch()
            if user.get("role") == "admin":
                if other is None:
                    raise InputError("role", f"{name} is the last admin. Make somebody else an admin first.")
                # Two admins who demote each other: the second finds that the first one's admin has changed.
                batch.update(other.reference, {"role": "admin"}, LastUpdateOption(other.update_time))
            change(batch)
            self._end_sessions(batch, name)
            self._record(batch, by, what, name, detail)
            with firestore_errors(f"changing user {name}"):
                try:
                    batch.commit(retry=None, timeout=WRITE_SECONDS)
                    return
                except (FailedPrecondition, Aborted):
                    continue
        raise BusyError(f"Somebody else is changing users at this moment; {name} is as before. Try again.")

    def _read_for_change(self, name: str) -> tuple[dict[str, Any], Any]:
        """A user's fields, and the document of an admin who is somebody else, or None."""
        with firestore_errors("reading users"):
            user = self._document(name).get(retry=None, timeout=READ_SECONDS)
            admins = self._database.documents.collection("users").where(filter=FieldFilter("role", "==", "admin"))
            others = [one for one in admins.limit(2).stream(retry=None, timeout=READ_SECONDS) if one.id != name]
        if not user.exists:
            raise DocumentNotFoundError(f"There is no user {name}.")
        return user.to_dict(), next(iter(others), None)

    def _end_sessions(self, batch: Any, name: str) -> None:
        with firestore_errors("reading sessions"):
            theirs = self._database.documents.collection("sessions").where(filter=FieldFilter("user", "==", name))
            for session in theirs.select([]).stream(retry=None, timeout=READ_SECONDS):
                batch.delete(session.reference)

    def _record(self, batch: Any, by: str, what: str, name: str, detail: str = "") -> None:
        entry = self._database.documents.collection("audit").document()
        batch.create(entry, audit_fields(by, what, f"users/{name}", detail))

    def _commit(self, batch: Any, doing: str) -> None:
        with firestore_errors(doing):
            batch.commit(retry=None, timeout=WRITE_SECONDS)
