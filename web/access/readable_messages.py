"""Who sees masked fields: whoever may act on messages; a viewer sees the same messages through the mask.

Routes that a viewer may use read messages by ``readable``, and live messages are looked at by ``Masked``.
"""

import threading
from functools import lru_cache

from infra.accounts.user import Role
from infra.firestore.message_reader import Messages
from infra.messages.masking import Mask
from infra.messages.message import Message
from web.access.roles import signed_in_user
from web.filters.columns import Columns
from web.live.frame_cache import Render
from web.messages.rows import row_html
from web.services import services

SEEN_BY: Role = "operator"
# Watchers stand close together: each message is masked once for all of them.
_REMEMBERED = 256
_MOST_CHOICES = 64


def mask() -> Mask:
    """What is hidden from the signed-in person."""
    return readable().mask


def readable() -> Messages:
    """The stored messages as the signed-in person may see them."""
    return services().messages if signed_in_user().may(SEEN_BY) else services().masked_messages


class Masked:
    """Live messages through a mask, the same for all who see them so. Thread-safe."""

    def __init__(self, through: Mask) -> None:
        self.row_with = lru_cache(_MOST_CHOICES)(self._row_with)
        self._mask = through
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int], Message] = {}

    def see(self, message: Message) -> Message:
        """The message as it may be seen."""
        key = (message.id, message.deliveries)
        found = self._seen.get(key)
        if found is None:
            found = self._mask.see(message)
            with self._lock:
                self._seen[key] = found
                while len(self._seen) > _REMEMBERED:
                    del self._seen[next(iter(self._seen))]
        return found

    def _row_with(self, columns: Columns) -> Render:
        """What renders rows with these columns: the same function for all who chose the same."""
        return lambda message: row_html(self.see(message), columns)
