"""Sign-ins: ``sessions/{sha256 of the cookie's secret}``. The server can end each one, and holds no secret."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.firestore import DocumentReference, WriteBatch
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.accounts.user import User, generation_of, user_of
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database, fields_of
from infra.firestore.error_mapping import firestore_errors

ABSOLUTE = timedelta(hours=12)
IDLE = timedelta(hours=2)
MAX_LISTED = 500
_PAGE = 400  # sessions that are ended in one request
# Firestore bills writes: a session that is used all day is touched every five minutes.
_TOUCH_AFTER = timedelta(minutes=5)
# 256 random bits, a dot, the user's name: the name in the cookie lets one request read session and user.
_COOKIE = re.compile(r"([A-Za-z0-9_-]{43})\.([a-z0-9][a-z0-9._@+-]{0,99})")


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. ``id`` is safe to show and to log; times are aware UTC."""

    id: str
    user: str
    created_at: datetime
    seen_at: datetime
    generation: str


@dataclass(frozen=True, slots=True)
class SessionWithUser:
    """The session of a valid cookie and its user, as they are stored now."""

    session: Session
    user: User


class SessionStore:
    """The sign-ins of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, user: User) -> str:
        """Begin a session of a user that ``authenticate`` returned; return the cookie's value. Raises StoreError.

        If the password or the role changed since then, the session is invalid from the beginning.
        """
        secret = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        fields = {
            "user": user.name,
            "generation": user.generation,
            "created_at": now,
            "seen_at": now,
            "expire_at": now + ABSOLUTE,
        }
        with firestore_errors("beginning a session"):
            self._document(_id_of(secret)).create(fields, retry=None, timeout=WRITE_SECONDS)
        return f"{secret}.{user.name}"

    def resolve(self, cookie: str) -> SessionWithUser | None:
        """Return the session and user of a cookie in use, and extend the session.

        Reads both in one request. None if the cookie is unknown, ended or too old. Raises StoreError.
        """
        resolved = self.look_up(cookie)
        now = datetime.now(UTC)
        if resolved and now - resolved.session.seen_at > _TOUCH_AFTER:
            self._touch(resolved.session.id, now)
        return resolved

    def look_up(self, cookie: str) -> SessionWithUser | None:
        """Return the same as ``resolve`` without extending the session: an open stream does not count as activity."""
        parts = _COOKIE.fullmatch(cookie)
        if not parts:
            return None
        session, user = self._read(_id_of(parts.group(1)), parts.group(2))
        if session is None or user is None or _is_over(session, user, datetime.now(UTC)):
            return None
        return SessionWithUser(session, user)

    def newest(self) -> list[Session]:
        """Return the valid ones of the newest MAX_LISTED sessions, newest first. Raises StoreError."""
        now = datetime.now(UTC)
        collection = self._database.documents.collection("sessions")
        begun = collection.where(filter=FieldFilter("created_at", ">", now - ABSOLUTE))
        newest = begun.order_by("created_at", direction="DESCENDING").limit(MAX_LISTED)
        with firestore_errors("listing sessions"):
            documents = newest.stream(retry=None, timeout=READ_SECONDS)
            sessions = [_session(document.id, fields_of(document)) for document in documents]
        users = self._users({session.user for session in sessions})
        return [
            session for session in sessions if session.user in users and not _is_over(session, users[session.user], now)
        ]

    def get(self, session: str) -> Session | None:
        """Return one session by its id, valid or not; None if it does not exist. Raises StoreError."""
        with firestore_errors("reading a session"):
            document = self._document(session).get(retry=None, timeout=READ_SECONDS)
        return _session(session, fields_of(document)) if document.exists else None

    def end(self, cookie: str) -> None:
        """End the session of a cookie; an unknown cookie is no error. Raises StoreError."""
        if parts := _COOKIE.fullmatch(cookie):
            self.end_by_id(_id_of(parts.group(1)))

    def end_by_id(self, session: str) -> None:
        """End one session. Raises StoreError."""
        with firestore_errors("ending a session"):
            self._document(session).delete(retry=None, timeout=WRITE_SECONDS)

    def _document(self, session: str) -> DocumentReference:
        return self._database.documents.collection("sessions").document(session)

    def _read(self, session: str, user: str) -> tuple[Session | None, User | None]:
        references = [self._document(session), self._database.documents.collection("users").document(user)]
        with firestore_errors("reading a session"):
            documents = self._database.documents.get_all(references, retry=None, timeout=READ_SECONDS)
            # Replies come in any order.
            fields = {document.reference.parent.id: fields_of(document) for document in documents if document.exists}
        return (
            _session(session, fields["sessions"]) if "sessions" in fields else None,
            user_of(user, fields["users"]) if "users" in fields else None,
        )

    def _users(self, names: set[str]) -> dict[str, User]:
        if not names:
            return {}
        references = [self._database.documents.collection("users").document(name) for name in names]
        with firestore_errors("reading users"):
            documents = self._database.documents.get_all(references, retry=None, timeout=READ_SECONDS)
            return {document.id: user_of(document.id, fields_of(document)) for document in documents if document.exists}

    def _touch(self, session: str, now: datetime) -> None:
        with firestore_errors("keeping a session"):
            try:
                self._document(session).update({"seen_at": now}, retry=None, timeout=WRITE_SECONDS)
            except NotFound:  # ended since it was read: do not bring it back; the next request is refused
                return


def end_sessions(database: Database, batch: WriteBatch, user: str) -> None:
    """Delete all sessions of a user together with the other writes in ``batch``. Raises StoreError.

    Full pages of sessions are deleted before the batch. A session that begins after the reading is invalid once the
    batch writes a new generation.
    """
    sessions = database.documents.collection("sessions").where(filter=FieldFilter("user", "==", user))
    with firestore_errors("ending sessions"):
        while len(page := sessions.select([]).limit(_PAGE).get(retry=None, timeout=READ_SECONDS)) == _PAGE:
            full = database.documents.batch()
            for session in page:
                full.delete(session.reference)
            full.commit(retry=None, timeout=WRITE_SECONDS)
    for session in page:
        batch.delete(session.reference)


def _id_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _session(session: str, fields: dict[str, Any]) -> Session:
    return Session(session, fields["user"], fields["created_at"], fields["seen_at"], generation_of(fields))


def _is_over(session: Session, user: User, now: datetime) -> bool:
    if (session.user, session.generation) != (user.name, user.generation):
        return True
    return now - session.created_at > ABSOLUTE or now - session.seen_at > IDLE
