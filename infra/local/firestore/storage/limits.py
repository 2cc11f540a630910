"""Check the service's limits on documents: field names, nesting and sizes.

Limits: firebase.google.com/docs/firestore/quotas#collections_documents_and_fields.
"""

from infra.local.firestore.documents.value_order import is_vector
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Pb

MAX_DOCUMENT_BYTES = 1024 * 1024 - 4
MAX_REQUEST_BYTES = 10 * 1024 * 1024
_MAX_VALUE_BYTES = 1024 * 1024 - 89
# The limit for a nested field: its name, the names around it, and the dots between them.
_MAX_PATH_BYTES = 1500
_MAX_DEPTH = 20

_PLAIN = frozenset(
    {
        "null_value",
        "boolean_value",
        "integer_value",
        "double_value",
        "timestamp_value",
        "reference_value",
        "geo_point_value",
    }
)
# A document shorter than the longest allowed value cannot contain a value that is too long.
_PLAIN_IN_SMALL = _PLAIN | {"string_value", "bytes_value"}


def check_request(request: Pb) -> None:
    """Refuse a request over 10 MiB."""
    size = request.ByteSize()
    if size > MAX_REQUEST_BYTES:
        raise invalid_argument(f"Request payload size {size} exceeds the limit of {MAX_REQUEST_BYTES} bytes.")


def check_document(document: Pb) -> int:
    """Check a document; return its encoded size in bytes. Raises INVALID_ARGUMENT."""
    size: int = document.ByteSize()
    if size > MAX_DOCUMENT_BYTES:
        raise invalid_argument(
            f"Document {document.name!r} is {size} bytes, more than the maximum of {MAX_DOCUMENT_BYTES}."
        )
    _check_map(document.fields, 1, _PLAIN_IN_SMALL if size <= _MAX_VALUE_BYTES else _PLAIN)
    return size


def _check_map(fields: Pb, depth: int, plain: frozenset[str], above_bytes: int = 0) -> None:
    if depth > _MAX_DEPTH:
        raise invalid_argument(f"A document is nested deeper than {_MAX_DEPTH} levels.")
    for name, value in fields.items():
        _check_field_name(name, above_bytes)
        kind = value.WhichOneof("value_type")
        if kind not in plain:
            _check_value(name, kind, value, depth, plain, above_bytes)


def _check_field_name(name: str, above_bytes: int) -> None:
    if not name:
        raise invalid_argument("A field name is empty.")
    if name[:2] == "__" and name[-2:] == "__" and len(name) >= 4:
        raise invalid_argument(f"The field name {name!r} is reserved: it matches __.*__.")
    if len(name) * 4 + above_bytes > _MAX_PATH_BYTES and len(name.encode()) + above_bytes > _MAX_PATH_BYTES:
        raise invalid_argument(f"The path of a field is longer than {_MAX_PATH_BYTES} bytes.")


def _check_value(
    name: str, kind: str | None, value: Pb, depth: int, plain: frozenset[str], above_bytes: int = 0
) -> None:
    if kind == "map_value":
        if not is_vector(value):
            _check_map(value.map_value.fields, depth + 1, plain, above_bytes + len(name.encode()) + 1)
    elif kind == "array_value":
        _check_array(name, value.array_value.values, depth + 1, plain)
    elif kind in ("string_value", "bytes_value"):
        _check_length(name, getattr(value, kind))
    else:
        raise invalid_argument(f"The field {name!r} holds no value that can be stored ({kind}).")


def _check_array(name: str, items: Pb, depth: int, plain: frozenset[str]) -> None:
    if depth > _MAX_DEPTH:
        raise invalid_argument(f"A document is nested deeper than {_MAX_DEPTH} levels.")
    for item in items:
        kind = item.WhichOneof("value_type")
        if kind == "array_value":
            raise invalid_argument(f"The array {name!r} holds an array; an array cannot directly contain another.")
        if kind not in plain:
            _check_value(name, kind, item, depth, plain)


def _check_length(name: str, content: str | bytes) -> None:
    size = len(content.encode()) if isinstance(content, str) else len(content)
    if size > _MAX_VALUE_BYTES:
        raise invalid_argument(f"The value of {name!r} is {size} bytes, longer than {_MAX_VALUE_BYTES}.")
