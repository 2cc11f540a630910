"""The bytes of a request as they arrive, and whether they are complete. Pure.

gunicorn parses the request afterwards, and it alone decides what is valid. A request counts as complete when gunicorn
needs no more bytes, be it to accept or to refuse it. In doubt it is incomplete.
"""

import re
import sys

MAX_HEAD_BYTES = 64 * 1024
# The longest body of every form except publishing. A longer one is read by a thread, which the application gives only
# to a person who may publish.
MAX_BODY_BYTES = 64 * 1024
# The sizes, extensions and trailers of chunks: 3,000 chunks of one byte, which cost the main loop some milliseconds.
MAX_FRAMING_BYTES = 16 * 1024
# gunicorn reads up to this much more than an application asks for.
_READ_AHEAD_BYTES = 1024
# gunicorn refuses a line that ends with LF alone, and needs its end to do so.
_HEAD_END = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(rb"\n(?i:content-length)[ \t]*:[ \t]*([0-9]+)[ \t]*\r")
_CHUNKED = re.compile(rb"\n(?i:transfer-encoding)[ \t]*:[^\n]*(?i:chunked)")
_CONTINUE = re.compile(rb"\n(?i:expect)[ \t]*:[ \t]*(?i:100-continue)")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]+)(?:[ \t]*;|\Z)")
_MAX_SIZE_LINE = 8190  # gunicorn's limit_request_field_size


class RequestBytes:
    """The bytes of one request, and of those behind it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_complete = False
        self.is_head_too_long = False
        self.has_too_much_framing = False
        self.expects_continue = False
        # The bytes that a thread must still read, 0 if their number is unknown. None: it must not read.
        self.missing_bytes: int | None = None
        self._head_end = 0
        self._length: int | None = None
        self._chunk_at = 0
        self._chunks_bytes = self._part_bytes = self._framing_bytes = 0

    def add(self, data: bytes) -> None:
        """Add bytes, and tell by the attributes whether the request is complete."""
        searched = max(0, len(self.data) - 2)
        self.data += data
        if not self._head_end and not self._find_head(searched):
            self.is_head_too_long = len(self.data) > MAX_HEAD_BYTES
            return
        self.is_complete = self._has_body()

    def take(self) -> bytes:
        """Return all bytes, and keep no copy of them."""
        data = bytes(self.data)
        self.data = bytearray()
        return data

    @property
    def head(self) -> bytes:
        """The request line and the headers, without the empty line at their end."""
        return bytes(self.data[: self._head_end])

    def _find_head(self, searched: int) -> bool:
        # gunicorn ignores one empty line before the request (RFC 9112, section 2.2).
        start = 2 if self.data[:2] == b"\r\n" else 0
        found = _HEAD_END.search(self.data, max(searched, start))
        if found is None:
            return False
        self._head_end = self._chunk_at = found.end()
        head = self.head
        if not _CHUNKED.search(head):
            self._length = _declared_length(head)
        self.expects_continue = bool(_CONTINUE.search(head))
        return True

    def _has_body(self) -> bool:
        if self._length is None:
            return self._has_last_chunk() or self._has_many_chunks()
        missing = max(0, self._length - (len(self.data) - self._head_end))
        if self._length > MAX_BODY_BYTES:
            self.missing_bytes = missing or None
            return True
        return not missing

    def _has_many_chunks(self) -> bool:
        """Tell whether a thread must read the rest.

        An application that accepts only short bodies reads no further than the bytes that have arrived.
        """
        content = self._chunks_bytes + self._part_bytes
        if content > MAX_BODY_BYTES + _READ_AHEAD_BYTES:
            self.missing_bytes = 0
            return True
        self.has_too_much_framing = len(self.data) - self._head_end - content > MAX_FRAMING_BYTES
        return False

    def _has_last_chunk(self) -> bool:
        """Walk over the chunks that have arrived. A malformed one counts as the last."""
        while True:
            self._part_bytes = 0
            line_end = self.data.find(b"\r\n", self._chunk_at)
            if line_end < 0:
                return len(self.data) - self._chunk_at > _MAX_SIZE_LINE
            size = _CHUNK_SIZE.match(self.data, self._chunk_at, line_end)
            if size is None:
                return True
            length, begin = int(size.group(1), 16), line_end + 2
            if not length:
                # The end of the trailers is an empty line; without trailers it follows the size.
                return bool(_HEAD_END.search(self.data, begin - 1))
            if begin + length + 2 > len(self.data):
                self._part_bytes = min(length, len(self.data) - begin)
                return False
            self._chunks_bytes += length
            self._framing_bytes += begin + 2 - self._chunk_at
            if self._framing_bytes > MAX_FRAMING_BYTES:
                return False
            self._chunk_at = begin + length + 2


def _declared_length(head: bytes) -> int:
    length = _LENGTH.search(head)
    try:
        return min(int(length.group(1)), sys.maxsize) if length else 0
    except ValueError:  # more digits than int() takes, which gunicorn refuses
        return 0
