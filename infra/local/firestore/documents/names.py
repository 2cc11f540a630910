"""Split and check names of databases, collections and documents.

``projects/P/databases/D/documents/messages/abc`` is a document's *name*; ``messages/abc`` is its *path*.
Rules: firebase.google.com/docs/firestore/quotas#collections_documents_and_fields.
"""

import re

from infra.local.firestore.errors import invalid_argument

_ROOT = re.compile(r"(projects/[^/]+/databases/[^/]+)/documents(?:/(.+))?", re.DOTALL)
_DATABASE = re.compile(r"projects/[^/]+/databases/[^/]+")
# An empty segment, `.`, `..` or `__.*__`.
_BAD_SEGMENT = re.compile(r"(?:^|/)(?:\.{0,2}|__[^/]*__)(?=/|$)")
_NUMERIC_ID = re.compile(r"(?<=/)__id(-?[0-9]+)__(?=/|$)")
_MAX_SEGMENT_BYTES = 1500
_MAX_NAME_BYTES = 6 * 1024


def check_database(name: str) -> str:
    """Return ``name`` if it is ``projects/P/databases/D``; raises INVALID_ARGUMENT otherwise."""
    if not _DATABASE.fullmatch(name):
        raise invalid_argument(f"Invalid database name {name!r}; wanted projects/P/databases/D.")
    return name


def split_parent(name: str) -> tuple[str, str]:
    """Split ``…/documents`` or a document's name into database and path (``""`` for the root)."""
    found = _ROOT.fullmatch(name)
    if not found:
        raise invalid_argument(f"Invalid resource name {name!r}; wanted projects/P/databases/D/documents/….")
    path = found.group(2) or ""
    if path:
        check_document(path, name)
    return found.group(1), path


def split_name(name: str) -> tuple[str, str]:
    """Split a document's name into database and path."""
    database, path = split_parent(name)
    if not path:
        raise invalid_argument(f"{name!r} names a database, not a document.")
    return database, path


def path_in(database: str, name: str) -> str:
    """Return the path of the document ``name`` in ``database``; raises INVALID_ARGUMENT for any other name."""
    prefix = database + "/documents/"
    if not name.startswith(prefix):
        raise invalid_argument(f"Invalid document name {name!r}; it is not in {database}.")
    path = name[len(prefix) :]
    check_document(path, name)
    return path


def compared_path_in(database: str, name: str) -> str:
    """Return the path of a name that a query compares with; it may contain numeric ids such as ``__id7__``.

    Such ids come from Datastore; the client's ``recursive_delete`` starts below the smallest of them.
    """
    path_in(database, _NUMERIC_ID.sub("numeric", name))
    return name[len(database) + len("/documents/") :]


def check_document(path: str, name: str) -> None:
    """Check a document's path as the service does; raises INVALID_ARGUMENT."""
    if path.count("/") % 2 == 0:
        raise invalid_argument(f"Invalid document name {name!r}; it names a collection, not a document.")
    check_segments(path, name)


def check_segments(path: str, name: str) -> None:
    """Refuse ids that are empty, `.`, `..`, `__.*__` or longer than 1,500 bytes."""
    bad = _BAD_SEGMENT.search(path)
    if bad:
        raise invalid_argument(f"Invalid resource name {name!r}: the id {bad.group().strip('/')!r} is not allowed.")
    if len(path) * 4 <= _MAX_SEGMENT_BYTES:
        return
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise invalid_argument(f"A document name is longer than {_MAX_NAME_BYTES} bytes.")
    if any(len(part.encode()) > _MAX_SEGMENT_BYTES for part in path.split("/")):
        raise invalid_argument(f"An id in a document name is longer than {_MAX_SEGMENT_BYTES} bytes.")


def order_of(path: str) -> str:
    """Return a string that sorts like the path's segments, one by one, with numeric ids first.

    A slash must sort before any character of an id, even NUL: the client's ``recursive_delete`` of ``messages`` ends at
    ``messages\\0/…``.
    """
    if "/__id" in path:
        path = _NUMERIC_ID.sub(lambda found: f"\1{int(found[1]) + 2**63:020}", path)
    if "\0" in path:
        path = path.replace("\0", "\0\1")
    return path.replace("/", "\0\0")


def path_of(order: str) -> str:
    """Return the path for an ``order_of``; stored documents have no numeric ids."""
    path = order.replace("\0\0", "/")
    return path.replace("\0\1", "\0") if "\0" in path else path
