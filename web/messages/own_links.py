"""The links that a deployment adds to values of messages (LINKS). Pure.

A publisher chooses the value, so that it is percent-encoded as a whole, and can reach neither the host nor another
folder of the path. A hidden value makes no link.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from infra.messages.masking import HIDDEN
from infra.messages.message import Message
from infra.settings.link_templates import LinkTemplate
from web.filters.columns import values

# Of one name, for example of ``data.items.*.id``.
_MAX_VALUES = 5
_MAX_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class OwnLink:
    """A value of a message, and the address that it leads to."""

    name: str
    value: str
    address: str
    host: str


def own_links(message: Message, templates: Sequence[LinkTemplate]) -> list[OwnLink]:
    """Return the links of a message, in the order of the setting. Of a long payload only the index's values count."""
    return [link for template in templates for link in _links(message, template)]


def _links(message: Message, template: LinkTemplate) -> Iterator[OwnLink]:
    for value in list(dict.fromkeys(values(message, template.name)))[:_MAX_VALUES]:
        if address := _address(template, value):
            yield OwnLink(template.name, value, address, template.host)


def _address(template: LinkTemplate, value: str) -> str:
    if not value or value == HIDDEN or len(value) > _MAX_CHARACTERS:
        return ""
    try:
        address = template.to(quote(value, safe=""))
    except UnicodeEncodeError:  # half a surrogate pair
        return ""
    path = address.partition("?")[0].partition("#")[0]
    # A browser resolves such a step, also when its dots are encoded (url.spec.whatwg.org, "double-dot").
    is_resolved = any(step in (".", "..") for step in path.split("/"))
    return "" if is_resolved else address
