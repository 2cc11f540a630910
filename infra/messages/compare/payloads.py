"""Compare two whole payloads: as JSON when both are JSON, by line when both are text, otherwise by byte. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from infra.messages.compare.edits import Edit, edits, lines
from infra.messages.compare.effort import Effort, always
from infra.messages.compare.json_diff import Operation, Same, walk
from infra.messages.compare.json_values import Json, parse, with_masked

MAX_COMPARED_BYTES = 1024 * 1024
# Each of them costs a microsecond or two before anything is compared.
MAX_OBJECTS, MAX_ARRAYS = 15_000, 60_000
_TOO_DEEP = "JSON that is nested this deeply is compared as text."
_TOO_MANY = f"JSON with more than {MAX_OBJECTS:,} objects or {MAX_ARRAYS:,} arrays is compared as text."

Way = Literal["equal", "json", "text", "bytes", "withheld"]


@dataclass(frozen=True)
class JsonResult:
    """Two JSON values, and what differs or is equal, in the order of the document."""

    a: Json
    b: Json
    found: list[Operation | Same]

    @property
    def operations(self) -> list[Operation]:
        """The differences."""
        return [found for found in self.found if isinstance(found, Operation)]


@dataclass(frozen=True)
class Comparison:
    """The result. Only the part that ``way`` names is filled; ``notes`` says which bounds made it coarser.

    ``are_lines``: each compared part of a text is a whole line.
    """

    way: Way
    of_json: JsonResult | None = None
    of_text: tuple[Edit[list[str]], ...] = ()
    of_bytes: tuple[Edit[bytes], ...] = ()
    lines_a: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    parts: tuple[int, int] = (0, 0)
    are_lines: bool = True


def compare(
    a: bytes, b: bytes, goes_on: Callable[[], bool] = always, *, hidden: str = "", whole: bool = True
) -> Comparison:
    """Compare two payloads of at most 1 MiB each.

    ``hidden`` is the text that a mask left in place of hidden values, empty for a reader without a mask: such values
    are never compared, and text with one is withheld. Without ``whole`` both are the beginnings of longer payloads.
    """
    effort = Effort(goes_on)
    text_a, text_b = _text(a, whole=whole), _text(b, whole=whole)
    mark = hidden if text_a is not None and text_b is not None and hidden and hidden in text_a + text_b else ""
    if a == b and not mark:
        return Comparison("equal")
    if text_a is None or text_b is None:
        return Comparison(
            "bytes", of_bytes=tuple(edits(a, b, effort)), notes=tuple(effort.notes), parts=(len(a), len(b))
        )
    found = _as_json(text_a, text_b, effort, mark) if whole else None
    if found is not None:
        way: Way = "json" if found.operations else "equal"
        return Comparison(way, of_json=found, notes=tuple(effort.notes))
    if mark:
        return Comparison("withheld")
    (lines_a, whole_a), (lines_b, whole_b) = lines(text_a), lines(text_b)
    changes = tuple(edits(lines_a, lines_b, effort))
    return Comparison(
        "text",
        of_text=changes,
        lines_a=lines_a,
        notes=tuple(effort.notes),
        parts=(len(lines_a), len(lines_b)),
        are_lines=whole_a and whole_b,
    )


def _as_json(text_a: str, text_b: str, effort: Effort, mark: str) -> JsonResult | None:
    if any(text.lstrip(" \t\r\n\ufeff")[:1] not in ("{", "[") for text in (text_a, text_b)):
        return None
    if max(map(_objects, (text_a, text_b))) > MAX_OBJECTS or max(map(_arrays, (text_a, text_b))) > MAX_ARRAYS:
        effort.note(_TOO_MANY)
        return None
    a, b = parse(text_a), parse(text_b)
    if a is None or b is None:
        return None
    if mark:
        with_masked(a, mark)
        with_masked(b, mark)
    try:
        return JsonResult(a, b, list(walk(a, b, effort)))
    except RecursionError:  # C compares nested values by recursion, and may begin deeper in the stack than the parser
        effort.note(_TOO_DEEP)
        return None


def _objects(text: str) -> int:
    return text.count("{")


def _arrays(text: str) -> int:
    return text.count("[")


def _text(data: bytes, *, whole: bool) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        # The cut may have split the last character, which has at most four bytes.
        if not whole and exc.start >= len(data) - 3 and exc.reason == "unexpected end of data":
            return data[: exc.start].decode()
        return None
