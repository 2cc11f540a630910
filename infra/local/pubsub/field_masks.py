"""Field masks: apply an update to a resource. Pure."""

from collections.abc import Set
from typing import Any

from infra.local.pubsub.validation import invalid


def merge(resource: Any, update: Any, mask: Any, mutable: Set[str]) -> Any:
    """Return a copy of ``resource`` with the fields of ``mask`` taken from ``update``.

    ``mutable`` names the fields that may change.

    Raises INVALID_ARGUMENT for an empty mask and for a path that is unknown or may not change.
    """
    kind = resource.DESCRIPTOR.name
    if not mask.paths:
        raise invalid(
            f"The update_mask in the Update{kind}Request must be set, and must contain a non-empty paths list."
        )
    if not mask.IsValidForDescriptor(resource.DESCRIPTOR):
        raise invalid(f"Invalid update_mask: one of {list(mask.paths)} is not a known {kind} field.")
    for path in mask.paths:
        if path.partition(".")[0] not in mutable:
            raise invalid(f"Invalid update_mask: the {path} field in the {kind} is not mutable.")
    changed = type(resource)()
    changed.CopyFrom(resource)
    mask.MergeMessage(update, changed, replace_message_field=True, replace_repeated_field=True)
    return changed
