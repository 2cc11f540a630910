"""The mask: fields of messages that some readers must not see, and what a message is without them. Pure.

A field is named as in a filter: an attribute, ``ordering_key`` (or ``key``), or after ``data.`` a member of a JSON
payload; ``data`` is all of it. Case does not matter, and a path means every member that it ends, however deep:
``data.card.number`` is hidden in ``{"orders": [{"card": {"number": 1}}]}``, too. To hide more than was meant does less
harm than to hide less.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from infra.messages.json_scanner import next_structure, value_span
from infra.messages.message import Message, read_content

HIDDEN = "•••"
_HIDDEN_JSON = f'"{HIDDEN}"'
_PAYLOAD = "data"
_ORDERING_KEYS = frozenset({"ordering_key", "key"})
# Of what is not at hand the size is rounded up to this: an exact one is the length of what is hidden.
_SIZE_STEP_BYTES = 1024


@dataclass(frozen=True)
class Mask:
    """The fields that are hidden; none hides nothing."""

    fields: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields)

    def see(self, message: Message) -> Message:
        """The message as the mask lets it be seen: what is hidden of it cannot be told from anything else of it."""
        if not self.fields:
            return message
        seen = replace(
            message,
            attributes={name: HIDDEN if self._hides(name) else value for name, value in message.attributes.items()},
            ordering_key=HIDDEN if message.ordering_key and self._hides_ordering_key else message.ordering_key,
            tokens=tuple(token for token in message.tokens if not self.hides_token(token)),
        )
        has_payload = message.data or message.chunks or message.preview
        return self._see_payload(seen) if self._hides_payload and has_payload else seen

    def see_payload(self, payload: bytes, message: Message) -> bytes | None:
        """A payload, or the first part of one, of a message that was seen; None when nothing of it may be."""
        if self.withholds(message):
            return None
        return self._json(payload.decode(errors="ignore")).encode() if self._paths and payload else payload

    def withholds(self, message: Message) -> bool:
        """Whether nothing may be seen of the payload: its fields cannot be told apart, or all of it is hidden."""
        return self._hides_payload and message.kind != "empty" and (message.kind != "json" or self._hides_all)

    def hides_token(self, token: str) -> bool:
        """Whether an index token, ``key=value``, may tell something of a hidden field."""
        folded = token.casefold()
        if any(folded.startswith(f"{name}=") for name in self._names):
            return True
        is_of_payload = folded.startswith("data.")
        return is_of_payload and (self._hides_all or any(f"{path}=" in folded for path in self._paths))

    def _see_payload(self, message: Message) -> Message:
        """Without the hidden members and all that tells of them: the preview, the exact size, and the checksum."""
        # Whatever a document says that somebody made by hand.
        kind = message.kind if message.data is None else read_content(message.data).kind
        seen = replace(message, kind=kind, sha256="")
        if self.withholds(seen):
            data = None if message.data is None else b""
            return replace(seen, data=data, preview=HIDDEN, size_bytes=_rounded(message.size_bytes))
        if message.data is None:
            return replace(seen, preview=self._json(message.preview), size_bytes=_rounded(message.size_bytes))
        left = self._json(message.data.decode()).encode()
        return replace(seen, data=left, preview=read_content(left).preview, size_bytes=len(left))

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(field.casefold() for field in self.fields)

    @cached_property
    def _hides_all(self) -> bool:
        return _PAYLOAD in self._names

    @cached_property
    def _hides_ordering_key(self) -> bool:
        return not self._names.isdisjoint(_ORDERING_KEYS)

    @cached_property
    def _hides_payload(self) -> bool:
        return self._hides_all or bool(self._paths)

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        """The ends of paths, each from its dot on. A number may be a name, or a position, which no path has here."""
        steps = [name.split(".")[1:] for name in self._names if name.startswith("data.")]
        without_positions = [[step for step in path if not step.isdigit()] for path in steps]
        return tuple({"." + ".".join(path) for path in (*steps, *without_positions) if path})

    @cached_property
    def _last_names(self) -> frozenset[str]:
        return frozenset(path.rpartition(".")[2] for path in self._paths)

    def _hides(self, name: str) -> bool:
        return name.casefold() in self._names

    def _json(self, text: str) -> str:
        """JSON, or the beginning of it, with hidden members' values replaced and all else as it was sent."""
        folded = text.casefold()
        if not self._paths or ("\\" not in text and not any(name in folded for name in self._last_names)):
            return text  # most have none, and this is a hundred times quicker
        return "".join(_without(text, self._paths))


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
            path = f"{object_path}.{(name or '').casefold()}"[-longest:]
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
            break
    yield text[copied:]


def _unescaped(name: str) -> str | None:
    """A member's name as it is meant: it may be written in many ways. None when nobody knows."""
    if "\\" not in name:
        return name
    try:
        return str(json.loads(f'"{name}"'))
    except ValueError:  # no JSON; a preview may have escapes of its own
        return None


def _rounded(size_bytes: int) -> int:
    return -(-size_bytes // _SIZE_STEP_BYTES) * _SIZE_STEP_BYTES
