"""What the service refuses to store: names, nesting and sizes of a document's fields.

Limits: firebase.google.com/docs/firestore/quotas#collections_documents_and_fields.
"""

from infra.local.firestore.refusals import invalid_argument
from infra.local.firestore.values import is_vector
from infra.local.firestore.wire import Pb

MAX_DOCUMENT_BYTES = 1024 * 1024 - 4
MAX_REQUEST_BYTES = 10 * 1024 * 1024
_MAX_VALUE_BYTES = 1024 * 1024 - 89
_MAX_NAME_BYTES = 1500
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


def check_request(request: Pb) -> None:
    """Refuse a request of more than 10 MiB."""
    size = request.ByteSize()
    if size > MAX_REQUEST_BYTES:
        raise invalid_argument(f"Request payload size {size} exceeds the limit of {MAX_REQUEST_BYTES} bytes.")


def check_document_size(document: Pb) -> int:
    """The encoded size in bytes; refuses more than 1 MiB."""
    size: int = document.ByteSize()
    if size > MAX_DOCUMENT_BYTES:
        raise invalid_argument(
            f"Document {document.name!r} is {size} bytes, more than the maximum of {MAX_DOCUMENT_BYTES}."
        )
    return size


def check_fields(fields: Pb) -> None:
    """Refuse what no document may hold; ``fields`` is the map of a document."""
    _check_map(fields, 1)


def _check_map(fields: Pb, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise invalid_argument(f"A document is nested deeper than {_MAX_DEPTH} levels.")
    for name, value in fields.items():
        check_field_name(name)
        _check_value(name, value, depth)


def check_field_name(name: str) -> None:
    """Refuse an empty, overlong or reserved field name."""
    if not name:
        raise invalid_argument("A field name is empty.")
    if name[:2] == "__" and name[-2:] == "__" and len(name) >= 4:
        raise invalid_argument(f"The field name {name!r} is reserved: it matches __.*__.")
    if len(name) * 4 > _MAX_NAME_BYTES and len(name.encode()) > _MAX_NAME_BYTES:
        raise invalid_argument(f"A field name is longer than {_MAX_NAME_BYTES} bytes.")


def _check_value(name: str, value: Pb, depth: int) -> None:
    kind = value.WhichOneof("value_type")
    if kind in _PLAIN:
        return
    if kind == "string_value":
        _check_length(name, value.string_value)
    elif kind == "bytes_value":
        _check_length(name, value.bytes_value)
    elif kind == "map_value":
        if not is_vector(value):
            _check_map(value.map_value.fields, depth + 1)
    elif kind == "array_value":
        _check_array(name, value.array_value.values, depth + 1)
    else:
        raise invalid_argument(f"The field {name!r} holds no value that can be stored ({kind}).")


def _check_array(name: str, items: Pb, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise invalid_argument(f"A document is nested deeper than {_MAX_DEPTH} levels.")
    for item in items:
        if item.HasField("array_value"):
            raise invalid_argument(f"The array {name!r} holds an array; an array cannot directly contain another.")
        _check_value(name, item, depth)


def _check_length(name: str, content: str | bytes) -> None:
    if len(content) * 4 <= _MAX_VALUE_BYTES:
        return
    size = len(content.encode()) if isinstance(content, str) else len(content)
    if size > _MAX_VALUE_BYTES:
        raise invalid_argument(f"The value of {name!r} is {size} bytes, longer than {_MAX_VALUE_BYTES}.")
