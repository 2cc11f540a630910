"""The differences between two payloads as rows of a page, with folded equal parts between them. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal

from infra.messages.compare.edits import Edit, Piece, pieces
from infra.messages.compare.effort import Effort
from infra.messages.compare.json_diff import Operation, Path, Same
from infra.messages.compare.json_patch import pointer
from infra.messages.compare.json_values import Masked, text_of
from infra.messages.compare.payloads import Comparison
from infra.messages.visible_text import visible
from web.formats import short

MAX_ROWS = 500
_VALUE_CHARACTERS = 2_000
_ALL = 10_000_000
_SAMPLE_CHARACTERS = 120
_LABEL_CHARACTERS = 200
# A longer equal part within a line is cut in its middle.
_EQUAL_CHARACTERS = 160
_SAMPLE_LINES = 20
_HEX_BYTES = 64
_HEX_ROW = 16

Kind = Literal["added", "removed", "changed", "masked"]
_KINDS: dict[str, Kind] = {"add": "added", "remove": "removed", "replace": "changed"}


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a shown value; ``differs`` marks the words that are only in one version."""

    text: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One difference at the place ``label``. A side that has no value is None."""

    kind: Kind
    label: str
    old: tuple[Span, ...] | None
    new: tuple[Span, ...] | None


@dataclass(frozen=True, slots=True)
class Fold:
    """Equal parts between two differences: how many, and the first ones with their places."""

    count: int
    noun: str
    items: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """Say how many parts are equal."""
        return f"{self.count:,} equal {self.noun}{'' if self.count == 1 else 's'}"


@dataclass(frozen=True)
class Rows:
    """The rows and folds in order, the number of all differences of each kind, and how many are not shown."""

    shown: tuple[Row | Fold, ...]
    counts: Counter[Kind] = field(default_factory=Counter)
    left_out: int = 0


def rows_of(found: Comparison) -> Rows:
    """Return the rows of a comparison, at most ``MAX_ROWS``."""
    match found.way:
        case "json" | "equal":
            rows = _json_rows(found, Effort())
        case "text":
            rows = _text_rows(found, Effort())
        case "bytes":
            rows = _byte_rows(found)
        case _:
            rows = iter(())
    return _limited(rows)


def _limited(rows: Iterator[Row | Fold]) -> Rows:
    shown: list[Row | Fold] = []
    counts: Counter[Kind] = Counter()
    for row in rows:
        if isinstance(row, Row):
            counts[row.kind] += 1
        if counts.total() <= MAX_ROWS:
            shown.append(row)
    return Rows(tuple(shown), counts, max(0, counts.total() - MAX_ROWS))


def _json_rows(found: Comparison, effort: Effort) -> Iterator[Row | Fold]:
    folded: list[Same] = []
    rows = 0
    for one in found.of_json.found if found.of_json else ():
        if isinstance(one, Same):
            folded.append(one)
            continue
        if folded:
            yield _json_fold(folded)
            folded = []
        rows += 1
        yield _json_row(one, effort, is_shown=rows <= MAX_ROWS)
    if folded:
        yield _json_fold(folded)


def _json_fold(same: list[Same]) -> Fold:
    items: list[tuple[str, str]] = []
    for one in same:
        for step, value in one.sample[: _SAMPLE_LINES - len(items)]:
            items.append((place((*one.path, step)), visible(text_of(value, _SAMPLE_CHARACTERS))))
    return Fold(sum(one.count for one in same), "value", tuple(items))


def _json_row(operation: Operation, effort: Effort, *, is_shown: bool) -> Row:
    kind = _KINDS[operation.kind]
    if isinstance(operation.old, Masked) or isinstance(operation.new, Masked):
        kind = "masked" if kind == "changed" else kind
    if not is_shown:
        return Row(kind, "", None, None)
    label = place(operation.path_in_a if kind == "removed" else operation.path)
    if operation.path_in_a != operation.path and kind in ("changed", "masked"):
        label = f"{place(operation.path_in_a)} → {label}"
    if kind == "masked":
        return Row(kind, label, (Span("masked"),), (Span("masked"),))
    if kind == "changed" and isinstance(operation.old, str) and isinstance(operation.new, str):
        return Row(kind, label, *_spans(text_of(operation.old, _ALL), text_of(operation.new, _ALL), effort))
    old, new = (text_of(value, _VALUE_CHARACTERS) for value in (operation.old, operation.new))
    return Row(
        kind,
        label,
        None if kind == "added" else (Span(visible(old)),),
        None if kind == "removed" else (Span(visible(new)),),
    )


def place(path: Path) -> str:
    """Write a path as a JSON Pointer that fits into a line; a long one keeps its end."""
    if not path:
        return "the whole document"
    steps, length = [], 0
    for step in reversed(path):
        steps.append(step[:_LABEL_CHARACTERS] if isinstance(step, str) else step)
        length += len(str(steps[-1])) + 1
        if length > _LABEL_CHARACTERS:
            break
    text = visible(pointer(tuple(reversed(steps))))
    return text if len(steps) == len(path) and length <= _LABEL_CHARACTERS else f"…{text[-_LABEL_CHARACTERS:]}"


def _spans(old: str, new: str, effort: Effort) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return two versions of a line with the words marked that differ; both sides cut equal parts alike."""
    found = pieces(old, new, effort)
    return _side(found, old=True), _side(found, old=False)


def _side(found: list[Piece], *, old: bool) -> tuple[Span, ...]:
    spans, length = [], 0
    for piece in found:
        text = piece.old if old else piece.new
        differs = piece.old != piece.new
        if not text:
            continue
        text = short(text, _VALUE_CHARACTERS) if differs else _without_middle(text)
        spans.append(Span(visible(text), differs))
        length += len(text)
        if length > _VALUE_CHARACTERS:
            return (*spans, Span("…"))
    return tuple(spans)


def _without_middle(text: str) -> str:
    if len(text) <= _EQUAL_CHARACTERS:
        return text
    half = _EQUAL_CHARACTERS // 2
    return f"{text[:half]} […{len(text) - 2 * half:,} equal characters…] {text[-half:]}"


def _text_rows(found: Comparison, effort: Effort) -> Iterator[Row | Fold]:
    noun = "line" if found.are_lines else "part"
    at, rows = 0, 0
    for edit in found.of_text:
        if edit.at_a > at:
            yield _text_fold(found.lines_a, at, edit.at_a, noun)
        at = edit.at_a + len(edit.removed)
        for number, (old, new) in enumerate(zip_longest(edit.removed, edit.added)):
            rows += 1
            is_shown = rows <= MAX_ROWS
            yield _text_row(edit, number, effort, noun) if is_shown else Row(_kind(old, new), "", None, None)
    if at < len(found.lines_a):
        yield _text_fold(found.lines_a, at, len(found.lines_a), noun)


def _text_fold(lines: list[str], start: int, end: int, noun: str) -> Fold:
    sample = ((f"{number + 1}", _line(lines[number])) for number in range(start, min(end, start + _SAMPLE_LINES)))
    return Fold(end - start, noun, tuple((number, short(line, _SAMPLE_CHARACTERS)) for number, line in sample))


def _text_row(edit: Edit[list[str]], number: int, effort: Effort, noun: str) -> Row:
    old, new = (lines[number] if number < len(lines) else None for lines in (edit.removed, edit.added))
    at_a, at_b = edit.at_a + number + 1, edit.at_b + number + 1
    if old is None:
        return Row("added", f"{noun} {at_b:,}", None, (Span(short(_line(new or ""), _VALUE_CHARACTERS)),))
    if new is None:
        return Row("removed", f"{noun} {at_a:,}", (Span(short(_line(old), _VALUE_CHARACTERS)),), None)
    label = f"{noun} {at_a:,}" if at_a == at_b else f"{noun} {at_a:,} → {at_b:,}"
    if _line(old) == _line(new):
        return Row("changed", label, *_spans(old, new, effort))  # only the end of the line differs
    return Row("changed", label, *_spans(_line(old), _line(new), effort))


def _kind(old: object, new: object) -> Kind:
    return "added" if old is None else "removed" if new is None else "changed"


def _line(text: str) -> str:
    return text.removesuffix("\n")


def _byte_rows(found: Comparison) -> Iterator[Row | Fold]:
    at = 0
    for edit in found.of_bytes:
        if edit.at_a > at:
            yield Fold(edit.at_a - at, "byte")
        at = edit.at_a + len(edit.removed)
        label = f"byte {edit.at_a:,}" if edit.at_a == edit.at_b else f"byte {edit.at_a:,} → {edit.at_b:,}"
        old, new = (_hex(edit.removed, edit.at_a), _hex(edit.added, edit.at_b))
        yield Row(_kind(old, new), label, old, new)
    if found.parts[0] > at:
        yield Fold(found.parts[0] - at, "byte")


def _hex(data: bytes, offset: int) -> tuple[Span, ...] | None:
    if not data:
        return None
    lines = []
    for start in range(0, min(len(data), _HEX_BYTES), _HEX_ROW):
        row = data[start : min(start + _HEX_ROW, _HEX_BYTES)]
        characters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
        lines.append(f"{offset + start:08x}  {row.hex(' '):<47}  {characters}")
    more = len(data) - _HEX_BYTES
    return (Span("\n".join(lines)), *([Span(f"\n… {more:,} more bytes")] if more > 0 else []))
