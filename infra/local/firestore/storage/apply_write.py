"""Apply one write: check its precondition, apply its mask and transforms, return the new version of the document.

Pure: the caller passes the stored version and the time, and stores the result.
"""

from typing import NamedTuple

from infra.local.firestore.documents import field_paths
from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.errors import already_exists, failed_precondition, invalid_argument, not_found
from infra.local.firestore.protos import Document, Pb, WriteResult
from infra.local.firestore.storage.clock import get_time, put_time
from infra.local.firestore.storage.limits import check_document
from infra.local.firestore.storage.transforms import transform


class Times(NamedTuple):
    """The times of one request in microseconds: its start, and the time when its changes become visible."""

    request: int
    commit: int


def target_of(write: Pb) -> str:
    """Return the name of the document that a write changes."""
    kind = write.WhichOneof("operation")
    if kind == "update":
        name: str = write.update.name
    elif kind == "delete":
        name = write.delete
    elif kind == "transform":
        name = write.transform.document
    else:
        raise invalid_argument("A write has no operation.")
    return name


def apply_write(write: Pb, path: str, current: Stored | None, times: Times) -> tuple[Stored | None, Pb]:
    """Return the document after ``write`` and the WriteResult; raises the service's errors.

    Returns ``current`` itself when the write changes nothing, which keeps its update time.
    """
    if write.HasField("current_document"):
        _check_precondition(write.current_document, current, target_of(write))
    if write.WhichOneof("operation") == "delete":
        return None, WriteResult()
    document = _updated(write, current)
    transforms = write.update_transforms or write.transform.field_transforms
    shown = transform(document.fields, transforms, times.request) if transforms else []
    stored = _version(document, path, current, times.commit)
    result = WriteResult(update_time=stored.pb.update_time)
    result.transform_results.extend(shown)
    return stored, result


def _check_precondition(precondition: Pb, current: Stored | None, name: str) -> None:
    kind = precondition.WhichOneof("condition_type")
    if kind == "exists":
        if precondition.exists and current is None:
            raise not_found(f"No document to update: {name}")
        if not precondition.exists and current is not None:
            raise already_exists(f"Document already exists: {name}")
    elif kind == "update_time":
        if current is None:
            raise not_found(f"No document to update: {name}")
        if get_time(precondition.update_time) != get_time(current.pb.update_time):
            raise failed_precondition(f"The stored version of {name} is not of the required update time.")


def _updated(write: Pb, current: Stored | None) -> Pb:
    document = Document()
    if write.WhichOneof("operation") == "update" and not write.HasField("update_mask"):
        document.CopyFrom(write.update)
        return document
    if current is None:
        document.name = target_of(write)
    else:
        document.CopyFrom(current.pb)
    for path in map(field_paths.parse_path, write.update_mask.field_paths):
        value = field_paths.read(write.update.fields, path)
        if value is None:
            field_paths.delete(document.fields, path)
        else:
            field_paths.write(document.fields, path, value)
    return document


def _version(document: Pb, path: str, current: Stored | None, commit_time: int) -> Stored:
    if current is None:
        put_time(document.create_time, commit_time)
    else:
        document.create_time.CopyFrom(current.pb.create_time)
        document.update_time.CopyFrom(current.pb.update_time)
        if document == current.pb:
            return current
    put_time(document.update_time, commit_time)
    return Stored(path, document, check_document(document))
