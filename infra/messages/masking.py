"""Hide fields of messages from readers who must not see them. Pure.

A field is named as in a filter: an attribute, ``ordering_key`` (or ``key``), or after ``data.`` a member of a JSON
payload; ``data`` is the whole payload. Case is ignored, and so is how accents are composed. A path matches every member
with a path that ends with it, at any depth: ``data.card.number`` also hides the number in
``{"orders": [{"card": {"number": 1}}]}``. When in doubt, it hides more: that does less harm than hiding less.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from infra.messages.folding import folded
from infra.messages.json_scalars import BYTE_ORDER_MARK
from infra.messages.json_scanner import next_structure, split_readable, value_span
from infra.messages.message import Kind, Message, json_preview, read_content
from infra.messages.severity import ATTRIBUTE_SOURCES, PAYLOAD_SOURCES
from infra.messages.trace import SOURCES as TRACE_SOURCES

HIDDEN = "•••"
_HIDDEN_JSON = f'"{HIDDEN}"'
_PAYLOAD = "data"
_ORDERING_KEYS = frozenset({"ordering_key", "key"})
# If the payload is not loaded, round its size up to this step: the exact size would reveal the hidden value's length.
_SIZE_STEP_BYTES = 1024
_BLANK = " \t\r\n" + BYTE_ORDER_MARK


@dataclass(frozen=True)
class Mask:
    """The hidden fields. A mask without fields hides nothing."""

    fields: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields)

    def see(self, message: Message) -> Message:
        """Return the message without its hidden fields; no other field of the result reveals them."""
        if not self.fields:
            return message
        return replace(
            message,
            attributes={name: HIDDEN if self._hides(name) else value for name, value in message.attributes.items()},
            ordering_key=HIDDEN if message.ordering_key and self._hides_ordering_key else message.ordering_key,
            tokens=tuple(token for token in message.tokens if not self.hides_token(token)),
            # It is then read again, from what is visible: see ``severity_of``.
            severity="" if self._may_hide_severity else message.severity,
            **self._payload_fields(message),
        )

    def see_payload(self, payload: bytes, message: Message) -> bytes | None:
        """Mask a payload, or the first part of one, of a message from ``see``; None when it must be withheld."""
        if self.withholds(message):
            return None
        return self._json(payload.decode(errors="ignore")).encode() if self._paths and payload else payload

    @cached_property
    def changes_payloads(self) -> bool:
        """Tell whether any payload may differ from the stored one."""
        return self._hides_all or bool(self._paths)

    def withholds(self, message: Message) -> bool:
        """Tell whether the whole payload is hidden: ``data`` is masked, or the payload is no JSON with fields."""
        return self._withholds(message.kind)

    def hides_token(self, token: str) -> bool:
        """Tell whether an index token, ``key=value``, may reveal a hidden field."""
        token = _comparable(token)
        if any(token.startswith(f"{name}=") for name in self._names):
            return True
        if token.startswith("severity=") and self._may_hide_severity:
            return True
        if token.startswith("trace=") and self._may_hide_trace:
            return True
        is_of_payload = token.startswith("data.")
        return is_of_payload and (self._hides_all or any(f"{path}=" in token for path in self._paths))

    def _payload_fields(self, message: Message) -> dict[str, Any]:
        """Mask the payload and everything derived from it: the preview, the exact size, and the checksum."""
        data = message.data
        if not self.changes_payloads or not (data or message.chunks or message.preview):
            return {}
        # Derive the kind again: a document that was edited by hand may claim any kind.
        kind = message.kind if data is None else read_content(data).kind
        fields = {"kind": kind, "sha256": "", "size_bytes": _rounded(message.size_bytes)}
        if self._withholds(kind):
            return fields | {"data": None if data is None else b"", "preview": HIDDEN}
        if data is None:
            return fields | {"preview": self._stored_preview(message.preview)}
        text = self._json(data.decode())
        masked = text.encode()
        return fields | {"data": masked, "preview": json_preview(text), "size_bytes": len(masked)}

    def _withholds(self, kind: Kind) -> bool:
        return self.changes_payloads and kind != "empty" and (kind != "json" or self._hides_all)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(map(_comparable, self.fields))

    @cached_property
    def _hides_all(self) -> bool:
        return _PAYLOAD in self._names

    @cached_property
    def _hides_ordering_key(self) -> bool:
        return not self._names.isdisjoint(_ORDERING_KEYS)

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        """The path endings, with a leading dot. A number may be a name or an array position: both are kept."""
        steps = [name.split(".")[1:] for name in self._names if name.startswith("data.")]
        without_positions = [[step for step in path if not step.isdigit()] for path in steps]
        return tuple({"." + ".".join(path) for path in (*steps, *without_positions) if path})

    @cached_property
    def _hides_array(self) -> bool:
        """Tell whether a path has positions only, such as ``data.0``: then an array at the root is hidden whole."""
        return any(name.startswith("data.") and name[5:].replace(".", "").isdigit() for name in self._names)

    @cached_property
    def _may_hide_severity(self) -> bool:
        """Tell whether a hidden field may be the one that states the severity of a message."""
        return any(map(self._hides, ATTRIBUTE_SOURCES)) or any(map(self._hides_path, PAYLOAD_SOURCES))

    @cached_property
    def _may_hide_trace(self) -> bool:
        return any(map(self._hides, TRACE_SOURCES))

    @cached_property
    def _last_names(self) -> frozenset[str]:
        return frozenset(path.rpartition(".")[2] for path in self._paths)

    def _hides(self, name: str) -> bool:
        return _comparable(name) in self._names

    def _hides_path(self, path: str) -> bool:
        """Tell whether the member at ``path``, or one that holds it, is hidden in every payload."""
        steps = _comparable(path).split(".")[1:]
        prefixes = ("." + ".".join(steps[:count]) for count in range(1, len(steps) + 1))
        return self._hides_all or any(prefix.endswith(self._paths) for prefix in prefixes)

    def _stored_preview(self, preview: str) -> str:
        """Mask the stored preview of a JSON payload.

        From the first character that cannot be JSON, HIDDEN replaces the rest.
        """
        readable, rest = split_readable(preview)
        return self._json(readable) + (HIDDEN if rest else "")

    def _json(self, text: str) -> str:
        """Replace the values of hidden members in JSON text, which may be cut off; keep all else as it was sent."""
        if self._hides_array and text.lstrip(_BLANK)[:1] == "[":
            return _HIDDEN_JSON
        if not self._paths or ("\\" not in text and not self._may_name(text)):
            return text  # most payloads have no hidden field, and this test is a hundred times faster
        return "".join(_without(text, self._paths))

    def _may_name(self, text: str) -> bool:
        text = _comparable(text)
        return any(name in text for name in self._last_names)


NO_MASK = Mask()


def _without(text: str, hidden: tuple[str, ...]) -> Iterator[str]:
    """Yield the pieces of JSON ``text`` with hidden values replaced; ``hidden`` are path endings with a leading dot."""
    longest = max(map(len, hidden))
    # The path of the open object, and of its current value; an array's elements have the array's path.
    object_path = path = ""
    outer: list[tuple[str, str]] = []
    position = copied = 0
    while part := next_structure(text, position):
        position = part.end()
        written_name, brace = part.groups()
        if written_name is not None:
            name = _unescaped(written_name)
            # Only the end of a path is compared: a payload's names may be as long as the payload.
            path = f"{object_path}.{_comparable(name or '')}"[-longest:]
            if name is None or path.endswith(hidden):
                start, position = value_span(text, position)
                yield text[copied:start] + _HIDDEN_JSON
                copied = position
        elif brace == "{":
            outer.append((object_path, path))
            object_path = path
        elif outer:
            object_path, path = outer.pop()
        else:
            # A brace that closes nothing: this is no JSON, and the rest may have any form.
            yield text[copied : part.start()] + HIDDEN
            return
    yield text[copied:]


def _comparable(text: str) -> str:
    """Fold a name, a token or JSON; the ``=`` of a token stays one if its value begins with a stroke (U+0338)."""
    return folded(text).replace("≠", "=\u0338")


def _unescaped(name: str) -> str | None:
    """Resolve the escapes in a member's name; None when they are no valid JSON."""
    if "\\" not in name:
        return name
    try:
        return str(json.loads(f'"{name}"'))
    except ValueError:  # a preview contains escapes that are no JSON
        return None


def _rounded(size_bytes: int) -> int:
    return -(-size_bytes // _SIZE_STEP_BYTES) * _SIZE_STEP_BYTES
