"""A stored document, a change of one, and a commit of several: immutable once made, shared by all readers."""

from dataclasses import dataclass
from typing import NamedTuple

from infra.local.firestore.documents.field_paths import NAME, FieldPath, read
from infra.local.firestore.documents.names import order_of
from infra.local.firestore.documents.value_order import REFERENCE, Key, key_of
from infra.local.firestore.protos import Pb


class Stored:
    """One version of one document. Identity is version: a change makes a new object."""

    __slots__ = ("collection", "path", "pb", "size_bytes")

    def __init__(self, path: str, pb: Pb, size_bytes: int) -> None:
        self.path = path
        self.pb = pb
        self.size_bytes = size_bytes
        self.collection = path.rpartition("/")[0]

    def key(self, field: FieldPath) -> Key | None:
        """The sort key of a field, or None when the document has no such field."""
        if field == NAME:
            return name_key(self.path)
        value = read(self.pb.fields, field)
        return None if value is None else key_of(value)


def name_key(path: str) -> Key:
    """The sort key of ``__name__`` for the document at ``path``."""
    return (REFERENCE, order_of(path))


class Change(NamedTuple):
    """What a commit did to one document; None is a document that does not exist."""

    path: str
    old: Stored | None
    new: Stored | None


@dataclass(frozen=True, slots=True)
class Commit:
    """Changes that became visible together, at ``time`` (microseconds), each document at most once."""

    time: int
    changes: tuple[Change, ...]
