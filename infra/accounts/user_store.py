"""The users: ``users/{name}``, with their roles and passwords."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from google.cloud.firestore import SERVER_TIMESTAMP, DocumentReference, LastUpdateOption, WriteBatch
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.accounts.password_rules import check_password
from infra.accounts.passwords import Passwords, generated_password
from infra.accounts.session_store import end_sessions
from infra.accounts.sign_in import SignIn, SignInError
from infra.accounts.sign_in_queue import SignInQueue
from infra.accounts.user import NAME, Role, User, check_name, checked_role, generation_of, new_generation, user_of
from infra.errors import (
    DocumentExistsError,
    DocumentNotFoundError,
    InputError,
)
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database, Snapshot, fields_of
from infra.firestore.compare_and_set import compare_and_set
from infra.firestore.error_mapping import firestore_errors
from infra.history.audit import record_in_batch


class LastAdminError(InputError):
    """The change would leave no admin."""

    def __init__(self, name: str) -> None:
        super().__init__("role", f"{name} is the last admin. Make another user an admin first.")

    def sentence(self) -> str:
        """Return the problem without the field's name, because the sentence begins with the user's name."""
        return self.predicate


class UserStore:
    """The users of one database."""

    def __init__(self, database: Database, key: str = "", queue: SignInQueue | None = None) -> None:
        """``key`` and ``queue`` are for sign-ins, which only the viewer has: see ``SignIn``."""
        self._database = database
        self._passwords = Passwords()
        self._sign_in = SignIn(database, self._passwords, key, queue or SignInQueue())

    def get(self, name: str) -> User | None:
        """Return one user; None if there is no such user. Raises StoreError."""
        if not NAME.fullmatch(name):
            return None
        with firestore_errors("reading a user"):
            document = self._document(name).get(retry=None, timeout=READ_SECONDS)
        return user_of(name, fields_of(document)) if document.exists else None

    def all(self) -> list[User]:
        """Return all users, by name. Raises StoreError."""
        with firestore_errors("listing users"):
            documents = self._database.documents.collection("users").stream(retry=None, timeout=READ_SECONDS)
            users = [user_of(document.id, fields_of(document)) for document in documents]
        return sorted(users, key=lambda user: user.name)

    def authenticate(self, name: str, password: str, *, address: str) -> User:
        """Return the user with this name and password. ``address`` is the client's.

        Raises SignInError (401), LockedError (429), BusyError (503), StoreError.
        """
        return self._sign_in.authenticate(name, password, address)

    def add(self, name: str, password: str, role: Role, *, by: str) -> User:
        """Add a user. Raises InputError (400), DocumentExistsError (409), StoreError."""
        check_name(name)
        check_password(password, name)
        hashed = self._passwords.hash(password)
        fields: dict[str, Any] = {
            "password_hash": hashed,
            "role": checked_role(role),
            "created_at": SERVER_TIMESTAMP,
            "last_seen_at": None,
            "generation": new_generation(),
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
        check_password(new, name)
        user = self.authenticate(name, current, address=address)
        changes = self._password_changes(new)

        def change(document: Snapshot, batch: WriteBatch) -> None:
            if generation_of(fields_of(document)) != user.generation:
                raise SignInError  # an admin set another password since
            batch.update(document.reference, changes, LastUpdateOption(document.update_time))

        self._change(name, name, "user.password", "", change)
        return replace(user, generation=changes["generation"])

    def set_password(self, name: str, new: str, *, by: str) -> None:
        """Set a new password and end all the user's sessions.

        Raises InputError (400), DocumentNotFoundError (404), BusyError (503), StoreError.
        """
        check_password(new, name)
        changes = self._password_changes(new)

        def change(document: Snapshot, batch: WriteBatch) -> None:
            batch.update(document.reference, changes)

        self._change(name, by, "user.password", "", change)

    def set_role(self, name: str, role: Role, *, by: str) -> None:
        """Give a user another role and end all the user's sessions.

        Raises as ``set_password``, and LastAdminError if no admin would be left.
        """
        changes = {"role": checked_role(role), "generation": new_generation()}

        def change(document: Snapshot, batch: WriteBatch) -> None:
            if role != "admin":
                self._keep_an_admin(batch, document)
            batch.update(document.reference, changes)

        self._change(name, by, "user.role", role, change)

    def remove(self, name: str, *, by: str) -> None:
        """Remove a user and all the user's sessions. Raises as ``set_role``."""

        def change(document: Snapshot, batch: WriteBatch) -> None:
            self._keep_an_admin(batch, document)
            batch.delete(document.reference)

        self._change(name, by, "user.remove", "", change)

    def ensure_first_admin(self, password: str) -> str | None:
        """Add the user ``admin`` if there is no user at all; return the password if it was generated here.

        ``password`` is the deployment's choice; empty means generate one. Raises StoreError.
        """
        with firestore_errors("looking for users"):
            users = self._database.documents.collection("users").limit(1)
            if users.get(retry=None, timeout=READ_SECONDS):
                return None
        chosen = password or generated_password("admin")
        try:
            self.add("admin", chosen, "admin", by="first start")
        except DocumentExistsError:
            return None  # another instance was faster
        return None if password else chosen

    def _document(self, name: str) -> DocumentReference:
        return self._database.documents.collection("users").document(name)

    def _password_changes(self, new: str) -> dict[str, Any]:
        return {"password_hash": self._passwords.hash(new), "generation": new_generation()}

    def _change(
        self, name: str, by: str, what: str, detail: str, change: Callable[[Snapshot, WriteBatch], None]
    ) -> None:
        """Commit the writes of ``change`` for a user's document, end the user's sessions and record the change.

        ``change`` runs again if another writer was faster.
        """
        check_name(name)

        def change_and_record(document: Snapshot, batch: WriteBatch) -> None:
            change(document, batch)
            end_sessions(self._database, batch, name)
            self._record(batch, by, what, name, detail)

        compare_and_set(
            self._database,
            lambda: self._existing(name),
            change_and_record,
            task=f"changing user {name}",
            busy=f"Another admin is changing users right now; {name} is unchanged. Try again.",
        )

    def _keep_an_admin(self, batch: WriteBatch, user: Snapshot) -> None:
        """If ``user`` is an admin, let the batch succeed only while another admin exists. Raises LastAdminError."""
        if fields_of(user).get("role") != "admin":
            return
        with firestore_errors("reading users"):
            admins = self._database.documents.collection("users").where(filter=FieldFilter("role", "==", "admin"))
            documents = admins.limit(2).stream(retry=None, timeout=READ_SECONDS)
            others = [document for document in documents if document.id != user.id]
        if not others:
            raise LastAdminError(user.id)
        # If two admins demote each other, the second batch fails, because the first changed the other admin's document.
        batch.update(others[0].reference, {"role": "admin"}, LastUpdateOption(others[0].update_time))

    def _existing(self, name: str) -> Snapshot:
        """Read a user's document. Raises DocumentNotFoundError."""
        with firestore_errors("reading a user"):
            document = self._document(name).get(retry=None, timeout=READ_SECONDS)
        if not document.exists:
            raise DocumentNotFoundError(f"There is no user {name}.")
        return document

    def _record(self, batch: WriteBatch, by: str, what: str, name: str, detail: str = "") -> None:
        record_in_batch(self._database, batch, by, what, f"users/{name}", detail)

    def _commit(self, batch: WriteBatch, doing: str) -> None:
        with firestore_errors(doing):
            batch.commit(retry=None, timeout=WRITE_SECONDS)
