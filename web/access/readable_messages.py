"""Choose by role whether a person sees masked fields: operators do, viewers read messages through the mask.

Routes that a viewer may use read messages by ``readable``; live messages go through ``web.live.masked_rows``.
"""

from infra.accounts.user import Role
from infra.firestore.message_reader import MessageReader
from infra.messages.masking import Mask
from web.access.roles import signed_in_user
from web.services import services

SEEN_BY: Role = "operator"


def mask() -> Mask:
    """What is hidden from the signed-in person."""
    return readable().mask


def readable() -> MessageReader:
    """The stored messages as the signed-in person may see them."""
    return services().messages if signed_in_user().may(SEEN_BY) else services().masked_messages
