"""Sign-ins: ``sessions/{sha256 of the cookie's secret}``: each can be ended on the server, which holds no secret."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.accounts.user import User, generation_of, user_of
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database, fields_of
from infra.firestore.error_mapping import firestore_errors

ABSOLUTE = timedelta(hours=12)
IDLE = timedelta(hours=2)
MAX_LISTED = 500
_PAGE = 400  # sessions that are ended in one request
# Firestore bills writes: a session that is used all day says so every five minutes.
_TOUCH_AFTER = timedelta(minutes=5)
# 256 random bits, a dot, the user's name: with the name at hand, session and user are read in one request.
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
    """A valid cookie's session and its user as they are now."""

    session: Session
    user: User


class SessionStore:
    """The sign-ins of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, user: User) -> str:
        """Begin a session of somebody as ``authenticate`` found him; return the cookie's value. Raises StoreError.

        When the password or the role is another one since then, the session is over from the beginning.
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
        """The session and user of a cookie that somebody uses, which keeps the session for another while.

        Read in one request; None when the cookie is unknown, ended or too old. Raises StoreError.
        """
        found = self.look_up(cookie)
        now = datetime.now(UTC)
        if found and now - found.session.seen_at > _TOUCH_AFTER:
            self._touch(found.session.id, now)
        return found

    def look_up(self, cookie: str) -> SessionWithUser | None:
        """The same without using it: what only stays open does not keep a session from idling out."""
        found = _COOKIE.fullmatch(cookie)
        if not found:
            return None
        session, user = self._read(_id_of(found.group(1)), found.group(2))
        if session is None or user is None or _is_over(session, user, datetime.now(UTC)):
            return None
        return SessionWithUser(session, user)

    def newest(self) -> list[Session]:
        """Of the newest MAX_LISTED sessions those that are not over, newest first. Raises StoreError."""
        now = datetime.now(UTC)
        collection = self._database.documents.collection("sessions")
        begun = collection.where(filter=FieldFilter("created_at", ">", now - ABSOLUTE))
        newest = begun.order_by("created_at", direction="DESCENDING").limit(MAX_LISTED)
        with firestore_errors("listing sessions"):
            sessions = [_session(one.id, fields_of(one)) for one in newest.stream(retry=None, timeout=READ_SECONDS)]
        users = self._users({one.user for one in sessions})
        return [one for one in sessions if one.user in users and not _is_over(one, users[one.user], now)]

    def get(self, session: str) -> Session | None:
        """One session by its id, over or not; None when it is not there. Raises StoreError."""
        with firestore_errors("reading a session"):
            found = self._document(session).get(retry=None, timeout=READ_SECONDS)
        return _session(session, fields_of(found)) if found.exists else None

    def end(self, cookie: str) -> None:
        """End the session of a cookie; an unknown one is no error. Raises StoreError."""
        if found := _COOKIE.fullmatch(cookie):
            self.end_by_id(_id_of(found.group(1)))

    def end_by_id(self, session: str) -> None:
        """End one session. Raises StoreError."""
        with firestore_errors("ending a session"):
            self._document(session).delete(retry=None, timeout=WRITE_SECONDS)

    def _document(self, session: str) -> Any:
        return self._database.documents.collection("sessions").document(session)

    def _read(self, session: str, user: str) -> tuple[Session | None, User | None]:
        wanted = [self._document(session), self._database.documents.collection("users").document(user)]
        with firestore_errors("reading a session"):
            found = self._database.documents.get_all(wanted, retry=None, timeout=READ_SECONDS)
            # Replies come in any order.
            fields = {one.reference.parent.id: fields_of(one) for one in found if one.exists}
        return (
            _session(session, fields["sessions"]) if "sessions" in fields else None,
            user_of(user, fields["users"]) if "users" in fields else None,
        )

    def _users(self, names: set[str]) -> dict[str, User]:
        wanted = [self._database.documents.collection("users").document(one) for one in names]
        with firestore_errors("reading users"):
            found = self._database.documents.get_all(wanted, retry=None, timeout=READ_SECONDS) if wanted else ()
            return {one.id: user_of(one.id, fields_of(one)) for one in found if one.exists}

    def _touch(self, session: str, now: datetime) -> None:
        with firestore_errors("keeping a session"):
            try:
                self._document(session).update({"seen_at": now}, retry=None, timeout=WRITE_SECONDS)
            except NotFound:  # ended a moment ago: writing must not bring it back, and the next request is refused
                return


def end_sessions(database: Database, batch: Any, user: str) -> None:
    """Delete all sessions of a user together with what else is in ``batch``. Raises StoreError.

    Of very many the most are deleted before. One that begins meanwhile is over once the batch makes a new generation.
    """
    theirs = database.documents.collection("sessions").where(filter=FieldFilter("user", "==", user))
    with firestore_errors("ending sessions"):
        while len(page := theirs.select([]).limit(_PAGE).get(retry=None, timeout=READ_SECONDS)) == _PAGE:
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
