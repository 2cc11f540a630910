"""Links from a value of a message to an internal page: ``order_id = https://admin.example.com/orders/{value}``.

The host is fixed here, and a message decides only what stands for ``{value}``, behind the first ``/`` of the path.
"""

import re
from dataclasses import dataclass

MAX_TEMPLATES = 20
_PLACE = "{value}"
# An attribute's name may contain a "=": the one before the scheme divides.
_ENTRY = re.compile(r"(?P<name>\S.*?)\s*=\s*(?P<address>[a-z][a-z0-9+.-]*:.*)", re.IGNORECASE)
_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ORIGIN = re.compile(rf"https://(?:{_LABEL}\.)*{_LABEL}(?::[0-9]{{1,5}})?/", re.IGNORECASE)
# Printable ASCII, less what a browser would change or what divides the setting (url.spec.whatwg.org).
_REST = re.compile(r"[^\x00-\x20\x7f-\U0010ffff,{}<>\"\\^`|]*")
_FORM = "NAME = https://HOST/PATH with one {value}, several by lines or commas (a comma in an address is %2C)"


@dataclass(frozen=True, slots=True)
class LinkTemplate:
    """A link for the values of one name: an attribute, or a ``data.`` path. ``address`` contains ``{value}`` once."""

    name: str
    address: str

    @property
    def host(self) -> str:
        """The host that the link leads to, with its port."""
        return self.address.split("/", 3)[2]

    def to(self, encoded: str) -> str:
        """Return the address for a value that is percent-encoded."""
        return self.address.replace(_PLACE, encoded)


def link_templates(value: str) -> tuple[LinkTemplate, ...]:
    """Parse the links, divided by lines or commas; may be empty."""
    parts = [part.strip() for part in re.split(r"[,\n]", value) if part.strip()]
    if len(parts) > MAX_TEMPLATES:
        raise ValueError(f"at most {MAX_TEMPLATES} links, and it has {len(parts)}")
    return tuple(map(_template, parts))


def _template(part: str) -> LinkTemplate:
    entry = _ENTRY.fullmatch(part)
    if not entry:
        raise ValueError(f"{_FORM}; {part!r} has no name before = or no address behind it")
    if problem := _problem(entry["address"]):
        raise ValueError(f"{_FORM}; of {part!r} {problem}")
    return LinkTemplate(entry["name"], entry["address"])


def _problem(address: str) -> str:
    """Return why an address cannot be used, empty when it can."""
    if not address.lower().startswith("https://"):
        return "the address does not begin with https://"
    if address.count(_PLACE) != 1:
        return "the address has {value} " + ("more than once" if _PLACE in address else "nowhere")
    before, after = address.split(_PLACE)
    origin = _ORIGIN.match(before)
    if not origin:
        return "the host is not fixed: it ends with a / before {value}, and has no name or password"
    if not _REST.fullmatch(before, origin.end()) or not _REST.fullmatch(after):
        return "the address has a character that must be percent-encoded"
    return ""
