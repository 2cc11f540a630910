"""Choose by role whether a person sees masked fields: operators do, viewers read messages through the mask.

Routes that a viewer may use read messages by ``readable``; live messages go through ``web.live.masked_rows``.
"""

from infra.accounts.user import Role
from infra.firestore.message_reader import MessageReader
from infra.messages.masking import Mask
from web.access.roles import signed_in_user
from web.services import services

UNMASKED_ROLE: Role = "operator"


def readers_mask() -> Mask:
    """What is hidden from the signed-in person."""
    return readable_messages().mask


def readable_messages() -> MessageReader:
    """The stored messages as the signed-in person may see them."""
    return services().all_messages if signed_in_user().may(UNMASKED_ROLE) else services().masked_messages
