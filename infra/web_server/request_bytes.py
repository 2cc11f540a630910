"""The bytes of a request as they arrive, and whether they are complete. Pure.

gunicorn parses the request afterwards, and it alone decides what is valid. A request that cannot become valid counts as
complete, so that gunicorn refuses it.
"""

import re

MAX_HEAD_BYTES = 64 * 1024
# The longest body of every form except publishing. A longer one is read by a thread, which the application gives only
# to a person who may publish.
MAX_BODY_BYTES = 64 * 1024
# gunicorn refuses a line that ends with LF alone, and needs its end to do so.
_HEAD_END = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(rb"\n(?i:content-length)[ \t]*:[ \t]*([0-9]{1,18})[ \t]*\r")
_CHUNKED = re.compile(rb"\n(?i:transfer-encoding)[ \t]*:[^\n]*(?i:chunked)")
_CONTINUE = re.compile(rb"\n(?i:expect)[ \t]*:[ \t]*(?i:100-continue)")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
_MAX_SIZE_LINE = 1024


class RequestBytes:
    """The bytes of one request, and of those behind it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_complete = False
        self.is_head_too_long = False
        self.expects_continue = False
        # The bytes that a thread must still read.
        self.missing_bytes = 0
        self._head_end = 0
        self._length: int | None = None
        self._chunk_at = 0

    def add(self, data: bytes) -> None:
        """Add bytes, and tell by the attributes whether the request is complete."""
        searched = max(0, len(self.data) - 2)
        self.data += data
        if not self._head_end and not self._find_head(searched):
            self.is_head_too_long = len(self.data) > MAX_HEAD_BYTES
            return
        self.is_complete = self._has_body()

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
            length = _LENGTH.search(head)
            self._length = int(length.group(1)) if length else 0
        self.expects_continue = bool(_CONTINUE.search(head))
        return True

    def _has_body(self) -> bool:
        arrived = len(self.data) - self._head_end
        if self._length is None:
            return self._has_last_chunk() or arrived > MAX_BODY_BYTES
        missing = max(0, self._length - arrived)
        if self._length > MAX_BODY_BYTES:
            self.missing_bytes = missing
            return True
        return not missing

    def _has_last_chunk(self) -> bool:
        """Walk over the chunks that have arrived. A malformed one counts as the last."""
        while True:
            size = _CHUNK_SIZE.match(self.data, self._chunk_at)
            if size is None:
                rest = self.data[self._chunk_at : self._chunk_at + _MAX_SIZE_LINE]
                return b"\n" in rest or len(rest) == _MAX_SIZE_LINE
            length = int(size.group(1), 16)
            if not length:
                # The end of the trailers is an empty line; without trailers it follows the size.
                return bool(_HEAD_END.search(self.data, size.end() - 1))
            if size.end() + length + 2 > len(self.data):
                return False
            self._chunk_at = size.end() + length + 2
