"""A receiver that sets each delivery under a random id."""

import secrets
from typing import Any

from functions import group_commit
from infra.firestore.message_writer import message_write
from main import receive

__all__ = ["receive"]


def _with_random_id(*arguments: Any, **options: Any) -> Any:
    write = message_write(*arguments, **options)
    write.update.name = write.update.name[:-32] + secrets.token_hex(16)
    write.ClearField("current_document")
    return write


vars(group_commit)["message_write"] = _with_random_id
