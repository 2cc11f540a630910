"""Show live messages through a mask: each message is usually masked once for all clients."""

import threading
from functools import lru_cache

from infra.messages.masking import Mask
from infra.messages.message import Message
from web.filters.columns import Columns
from web.filters.highlights import Highlights
from web.live.frame_cache import Render
from web.messages.rows import row_html

# Clients read close to the newest message, so that few messages are enough.
_MAX_MASKED = 256
_MAX_COLUMN_CHOICES = 64


class MaskedRows:
    """Live messages through one mask, the same for everyone with this mask. Thread-safe."""

    def __init__(self, mask: Mask) -> None:
        self.row_with = lru_cache(_MAX_COLUMN_CHOICES)(self._row_with)
        self._mask = mask
        self._lock = threading.Lock()
        self._masked: dict[tuple[str, int], Message] = {}

    def see(self, message: Message) -> Message:
        """Return the message with its masked fields hidden."""
        key = (message.id, message.deliveries)
        masked = self._masked.get(key)
        if masked is None:
            masked = self._mask.see(message)
            with self._lock:
                self._masked[key] = masked
                while len(self._masked) > _MAX_MASKED:
                    del self._masked[next(iter(self._masked))]
        return masked

    def _row_with(self, columns: Columns, highlights: Highlights = ()) -> Render:
        """Return a function that renders rows; the same one for the same arguments, so that frames are shared."""
        return lambda message: row_html(self.see(message), columns, highlights)
