"""The mask: fields of messages that some readers must not see, and what a message is without them. Pure.

A field is named as in a filter: an attribute, ``ordering_key``, or after ``data.`` a member of a JSON payload. Case
does not matter, and a path means every member that it ends, however deep: ``data.card.number`` is hidden in
``{"orders": [{"card": {"number": 1}}]}``, too. To hide more than was meant does less harm than to hide less.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from infra.message import Message, read_content

HIDDEN = "•••"
_HIDDEN_JSON = f'"{HIDDEN}"'
_ORDERING_KEY = "ordering_key"
_STRING = r'"(?:[^"\\]|\\.)*+"'
# What comes next of a member's name, a brace, and the end; strings that are values are passed over, with all in them.
_NEXT = re.compile(
    rf'(?:[^"{{}}]++|{_STRING}(?!\s*+:))*+(?:"((?:[^"\\]|\\.)*+)"\s*+:|([{{}}])|\Z)',
    re.DOTALL,
)
_VALUE = re.compile(rf'\s*+([{{\[]|{_STRING}|"|[^\s,\]}}"]++)', re.DOTALL)
_INSIDE = re.compile(rf"{_STRING}|[{{}}\[\]]", re.DOTALL)


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
            ordering_key=HIDDEN if message.ordering_key and self._hides(_ORDERING_KEY) else message.ordering_key,
            tokens=tuple(token for token in message.tokens if not self.hides_token(token)),
        )
        return self._see_payload(seen) if self._paths and message.size_bytes else seen

    def see_payload(self, payload: bytes, message: Message) -> bytes | None:
        """A payload, or the first part of one, as it may be seen; None when its fields cannot be told apart."""
        if not self._paths or not payload:
            return payload
        # A part is no JSON by itself; the message says of what it is a part.
        is_whole = len(payload) >= message.size_bytes
        if (read_content(payload).kind if is_whole else message.kind) != "json":
            return None
        return self._json(payload.decode(errors="ignore")).encode()

    def withholds(self, message: Message) -> bool:
        """Whether nothing of the payload may be seen."""
        return bool(self._paths and message.size_bytes) and message.kind != "json"

    def hides_token(self, token: str) -> bool:
        """Whether an index token, ``key=value``, may tell something of a hidden field."""
        keys = (token[: found.start()] for found in re.finditer("=", token))
        return any(self._hides(key) or self._hides_field(key) for key in keys)

    def _see_payload(self, message: Message) -> Message:
        """Without the hidden members, their preview, and the checksum, by which a guess could be proven."""
        if message.data is None:
            preview = self._json(message.preview) if message.kind == "json" else HIDDEN
            return replace(message, preview=preview, sha256="")
        kind = read_content(message.data).kind  # whatever a document says that somebody made by hand
        if kind != "json":
            return replace(message, kind=kind, data=b"", preview=HIDDEN, sha256="")
        data = self._json(message.data.decode()).encode()
        return replace(message, kind=kind, data=data, preview=read_content(data).preview, sha256="")

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(field.casefold() for field in self.fields)

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        return tuple(f".{name.removeprefix('data.')}" for name in self._names if name.startswith("data."))

    @cached_property
    def _last_names(self) -> frozenset[str]:
        return frozenset(path.rpartition(".")[2] for path in self._paths)

    def _hides(self, name: str) -> bool:
        return name.casefold() in self._names

    def _hides_field(self, key: str) -> bool:
        return key.startswith("data.") and key.removeprefix("data").casefold().endswith(self._paths)

    def _json(self, text: str) -> str:
        """JSON, or the beginning of it, with hidden members' values replaced and all else as it was sent."""
        if "\\" not in text and not any(name in text.casefold() for name in self._last_names):
            return text  # most have none, and this is a hundred times quicker
        return "".join(_without(text, self._paths))


NO_MASK = Mask()


def _without(text: str, hidden: tuple[str, ...]) -> Iterator[str]:
    """The pieces of JSON that are left. ``hidden`` are the ends of paths, each from its dot on."""
    longest = max(map(len, hidden))
    own_path = path = ""  # of the object that is open, and of the value in it; an array's elements have the array's
    outer: list[tuple[str, str]] = []
    position = copied = 0
    while found := _NEXT.match(text, position):
        position = found.end()
        name, brace = found.groups()
        if name is not None:
            # The end of a path is all that is compared: a payload's names may be as long as itself.
            path = f"{own_path}.{_unescaped(name).casefold()}"[-longest:]
            if path.endswith(hidden):
                start, position = _value_at(text, position)
                yield text[copied:start] + _HIDDEN_JSON
                copied = position
        elif brace == "{":
            outer.append((own_path, path))
            own_path = path
        elif brace == "}" and outer:
            own_path, path = outer.pop()
        else:
            break
    yield text[copied:]


def _value_at(text: str, position: int) -> tuple[int, int]:
    """Where the value after a name and its colon begins and ends; it may be cut off."""
    found = _VALUE.match(text, position)
    if not found or found[1] == '"':  # it is cut off, within a text perhaps
        return (found.start(1) if found else position), len(text)
    start = found.start(1)
    if found[1] not in ("{", "["):
        return start, found.end()
    depth = 0
    for mark in _INSIDE.finditer(text, start):
        depth += (mark[0] in "{[") - (mark[0] in "}]")
        if not depth:
            return start, mark.end()
    return start, len(text)


def _unescaped(name: str) -> str:
    """A member's name as it is meant: it may be written in many ways."""
    if "\\" not in name:
        return name
    try:
        return str(json.loads(f'"{name}"'))
    except ValueError:  # no JSON, or a preview's
        return name
