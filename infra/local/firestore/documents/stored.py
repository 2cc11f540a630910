"""A stored document, a change, and a commit: immutable, and shared by all readers."""

from dataclasses import dataclass
from typing import NamedTuple

from infra.local.firestore.documents.field_paths import NAME, FieldPath, read
from infra.local.firestore.documents.names import order_of
from infra.local.firestore.documents.value_order import REFERENCE, Key, key_of
from infra.local.firestore.protos import Pb


class Stored:
    """One version of one document. Each change creates a new object, so identity means the same version."""

    __slots__ = ("collection", "path", "pb", "size_bytes")

    def __init__(self, path: str, pb: Pb, size_bytes: int) -> None:
        self.path = path
        self.pb = pb
        self.size_bytes = size_bytes
        self.collection = path.rpartition("/")[0]

    def key(self, field: FieldPath) -> Key | None:
        """Return the sort key of a field; None when the document lacks the field."""
        if field == NAME:
            return name_key(self.path)
        value = read(self.pb.fields, field)
        return None if value is None else key_of(value)


def name_key(path: str) -> Key:
    """Return the sort key of ``__name__`` for the document at ``path``."""
    return (REFERENCE, order_of(path))


class Change(NamedTuple):
    """The old and the new version of one document in a commit; None means that it does not exist."""

    path: str
    old: Stored | None
    new: Stored | None


@dataclass(frozen=True, slots=True)
class Commit:
    """Changes that became visible together, at ``time`` (microseconds), each document at most once."""

    time: int
    changes: tuple[Change, ...]
