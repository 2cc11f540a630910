"""The cursor: a position in a list ordered by time and document id. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MESSAGE_ID = re.compile(r"[0-9a-f]{32}")
# Firestore's automatic ids have 20 of these characters.
AUTO_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_MICROSECONDS = re.compile(r"[0-9]{1,18}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A position: (time, document id), written ``<microseconds>-<id>``. ``at`` is aware UTC."""

    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def parse(cls, text: str, ids: re.Pattern[str] = MESSAGE_ID) -> "Cursor":
        """Read the text that ``str()`` writes. Raises ValueError for any other text.

        The id becomes part of a document path: ``ids`` says which ids the collection has.
        """
        microseconds, _, document = text.partition("-")
        if not _MICROSECONDS.fullmatch(microseconds) or not ids.fullmatch(document):
            raise ValueError("a cursor is microseconds since 1970, a hyphen and a document id")
        try:
            return cls(_EPOCH + timedelta(microseconds=int(microseconds)), document)
        except OverflowError as exc:
            raise ValueError("a cursor has a time before the year 10000") from exc
