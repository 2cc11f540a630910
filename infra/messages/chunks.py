"""The sizes from which a payload is stored beside its message, in chunks. Pure."""

INLINE_BYTES = 16 * 1024  # keeps the documents small that every listener receives
CHUNK_BYTES = 900 * 1024  # a document may hold 1 MiB


def chunk_count(size_bytes: int) -> int:
    """Return the number of chunks for a payload of ``size_bytes``."""
    return -(-size_bytes // CHUNK_BYTES)
