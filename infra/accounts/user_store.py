"""The people who may sign in: ``users/{name}``, their roles, passwords and lockouts.

An attempt to sign in takes a place and is counted before its password is hashed, and an unknown name costs what a known
one does.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition, NotFound
from google.cloud.firestore import SERVER_TIMESTAMP, LastUpdateOption
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.accounts.passwords import Passwords, check_password, is_too_long
from infra.accounts.session_store import end_sessions
from infra.accounts.sign_in_attempts import NO_ATTEMPTS, SignInAttempts, network_of
from infra.accounts.sign_in_slots import SignInSlots
from infra.accounts.user import NAME, Role, User, check_name, checked_role, generation_of, new_generation, user_of
from infra.errors import (
    BusyError,
    DocumentExistsError,
    DocumentNotFoundError,
    InputError,
    SubscopeError,
)
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database, fields_of
from infra.firestore.error_mapping import firestore_errors
from infra.history.audit import audit_fields

_WRONG = "The name or the password is wrong."
_TRIES = 10


class SignInError(SubscopeError):
    """The name or the password is wrong; it never says which."""

    status = 401


class LastAdminError(InputError):
    """The change would leave no admin."""

    def __init__(self, name: str) -> None:
        super().__init__("role", f"{name} is the last admin. Make another user an admin first.")

    def sentence(self) -> str:
        """Return the problem alone: it names the user, who is the subject."""
        return self.predicate


class UserStore:
    """The users of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._passwords = Passwords()
        self._attempts = SignInAttempts(database)
        self._places = SignInSlots()

    def get(self, name: str) -> User | None:
        """One user; None when there is no such user. Raises StoreError."""
        if not NAME.fullmatch(name):
            return None
        with firestore_errors("reading a user"):
            found = self._document(name).get(retry=None, timeout=READ_SECONDS)
        return user_of(name, fields_of(found)) if found.exists else None

    def all(self) -> list[User]:
        """All users by name. Raises StoreError."""
        with firestore_errors("listing users"):
            found = self._database.documents.collection("users").stream(retry=None, timeout=READ_SECONDS)
            return sorted((user_of(one.id, fields_of(one)) for one in found), key=lambda user: user.name)

    def authenticate(self, name: str, password: str, *, address: str) -> User:
        """The user with this name and password. ``address`` is that of who asks.

        Raises SignInError (401), LockedError (429), BusyError (503), StoreError.
        """
        if is_too_long(password):
            raise SignInError(_WRONG)
        network = network_of(address)
        with self._places.slot(network):
            fields = self._matched(name, password, network)
            user = user_of(name, fields)
            self._attempts.forget(user, network)
            self._note_sign_in(name)
        return user

    def add(self, name: str, password: str, role: Role, *, by: str) -> User:
        """Add a user. Raises InputError (400), DocumentExistsError (409), StoreError."""
        check_name(name)
        hashed = self._passwords.hash(password)
        fields = {
            "password_hash": hashed,
            "role": checked_role(role),
            "created_at": SERVER_TIMESTAMP,
            "last_seen_at": None,
            "generation": new_generation(),
            **NO_ATTEMPTS,
        }
        batch = self._database.documents.batch()
        batch.create(self._document(name), fields)
        self._record(batch, by, "user.add", name, f"role {role}")
        try:
            self._commit(batch, f"adding user {name}")
        except DocumentExistsError as exc:
            raise DocumentExistsError(f"There is a user {name} already.") from exc
        return User(name, role, generation=fields["generation"])

    def change_password(self, name: str, current: str, new: str, *, address: str) -> User:
        """Set a new password, given the current one, end all the user's sessions, and return the user of a new one.

        Raises as ``authenticate`` and ``set_password``.
        """
        check_password(new)
        user = self.authenticate(name, current, address=address)
        changes = self._password_changes(new)

        def change(batch: Any, found: Any) -> None:
            if generation_of(found.to_dict()) != user.generation:
                raise SignInError(_WRONG)  # an admin gave another one meanwhile
            batch.update(found.reference, changes, LastUpdateOption(found.update_time))

        self._change(name, name, "user.password", "", change)
        return replace(user, generation=changes["generation"])

    def set_password(self, name: str, new: str, *, by: str) -> None:
        """Set a new password and end all the user's sessions.

        Raises InputError (400), DocumentNotFoundError (404), BusyError (503), StoreError.
        """
        changes = self._password_changes(new)
        self._change(name, by, "user.password", "", lambda batch, user: batch.update(user.reference, changes))

    def set_role(self, name: str, role: Role, *, by: str) -> None:
        """Give a user another role and end all the user's sessions.

        Raises as ``set_password``, and InputError when nobody would be left who may add users.
        """
        changes = {"role": checked_role(role), "generation": new_generation()}

        def change(batch: Any, user: Any) -> None:
            if role != "admin":
                self._keep_an_admin(batch, user)
            batch.update(user.reference, changes)

        self._change(name, by, "user.role", role, change)

    def remove(self, name: str, *, by: str) -> None:
        """Remove a user and all the user's sessions. Raises as ``set_role``."""

        def change(batch: Any, user: Any) -> None:
            self._keep_an_admin(batch, user)
            batch.delete(user.reference)

        self._change(name, by, "user.remove", "", change)

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

    def _note_sign_in(self, name: str) -> None:
        fields = NO_ATTEMPTS | {"last_seen_at": SERVER_TIMESTAMP}
        with firestore_errors("signing in"):
            try:
                self._document(name).update(fields, retry=None, timeout=WRITE_SECONDS)
            except NotFound as exc:  # removed a moment ago
                raise SignInError(_WRONG) from exc

    def _password_changes(self, new: str) -> dict[str, Any]:
        return {"password_hash": self._passwords.hash(new), "generation": new_generation(), **NO_ATTEMPTS}

    def _change(self, name: str, by: str, what: str, detail: str, change: Callable[[Any, Any], None]) -> None:
        """Commit what ``change`` puts into a batch for a user's document, and end the sessions.

        It is asked again when somebody else was quicker.
        """
        check_name(name)
        for _ in range(_TRIES):
            batch = self._database.documents.batch()
            change(batch, self._found(name))
            end_sessions(self._database, batch, name)
            self._record(batch, by, what, name, detail)
            with firestore_errors(f"changing user {name}"):
                try:
                    batch.commit(retry=None, timeout=WRITE_SECONDS)
                    return
                except (FailedPrecondition, Aborted, NotFound):
                    continue
        raise BusyError(f"Somebody else is changing users at this moment; {name} is as before. Try again.")

    def _keep_an_admin(self, batch: Any, user: Any) -> None:
        """When ``user`` is an admin, let the batch succeed only if somebody else is one, too, at that very moment."""
        if user.to_dict().get("role") != "admin":
            return
        with firestore_errors("reading users"):
            admins = self._database.documents.collection("users").where(filter=FieldFilter("role", "==", "admin"))
            others = [one for one in admins.limit(2).stream(retry=None, timeout=READ_SECONDS) if one.id != user.id]
        if not others:
            raise LastAdminError(user.id)
        # Two admins who demote each other: the second finds that the first one's admin has changed.
        batch.update(others[0].reference, {"role": "admin"}, LastUpdateOption(others[0].update_time))

    def _found(self, name: str) -> Any:
        """A user's document. Raises DocumentNotFoundError."""
        with firestore_errors("reading a user"):
            found = self._document(name).get(retry=None, timeout=READ_SECONDS)
        if not found.exists:
            raise DocumentNotFoundError(f"There is no user {name}.")
        return found

    def _record(self, batch: Any, by: str, what: str, name: str, detail: str = "") -> None:
        entry = self._database.documents.collection("audit").document()
        batch.create(entry, audit_fields(by, what, f"users/{name}", detail))

    def _commit(self, batch: Any, doing: str) -> None:
        with firestore_errors(doing):
            batch.commit(retry=None, timeout=WRITE_SECONDS)
