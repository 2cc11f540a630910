"""Thousands of generated documents: the differences between two of them, applied to the first, give the second one."""

import json
import random
from itertools import pairwise
from typing import Any

import pytest

from infra.messages.compare import edits, json_diff
from infra.messages.compare.effort import Effort
from infra.messages.compare.json_diff import Operation, Same
from infra.messages.compare.json_patch import NoPatchError, patch_text
from infra.messages.compare.json_values import Json, parse, text_of

_NAMES = ("id", "name", "a", "b", "a/b", "m~n", "", "ö", "0")
_SCALARS = (
    "0",
    "1",
    "1.0",
    "-0",
    "1e2",
    '"1"',
    '"1.0"',
    '"x"',
    '""',
    "true",
    "false",
    "null",
    '"\\ud800"',
    "123456789012345678901",
)


class Writer:
    """Writes random JSON text, and other versions of a document."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def container(self, depth: int = 0) -> str:
        count = self.random.choice((0, 1, 2, 3, 5, 12))
        if self.random.random() < 0.5:
            return "[" + ",".join(self.value(depth + 1) for _ in range(count)) + "]"
        names = [self.random.choice(_NAMES) for _ in range(count)]
        if self.random.random() < 0.8:
            names = list(dict.fromkeys(names))
        return "{" + ",".join(f"{json.dumps(name)}:{self.value(depth + 1)}" for name in names) + "}"

    def value(self, depth: int) -> str:
        return self.random.choice(_SCALARS) if depth > 3 or self.random.random() < 0.5 else self.container(depth)

    def changed(self, value: Any) -> Any:
        """Return another version of a parsed value: members and items dropped, added, exchanged, moved."""
        if not isinstance(value, list | dict):
            return value if self.random.random() < 0.8 else parse(f"[{self.random.choice(_SCALARS)}]")[0]  # type: ignore[index]
        if isinstance(value, list):
            items = [self.changed(item) for item in value if self.random.random() < 0.9]
            if self.random.random() < 0.3:
                items.insert(self.random.randint(0, len(items)), parse(self.container(2)))
            if self.random.random() < 0.1:
                self.random.shuffle(items)
            return items
        members = {name: self.changed(member) for name, member in value.items() if self.random.random() < 0.9}
        if self.random.random() < 0.3:
            members[self.random.choice(_NAMES)] = parse(self.container(2))
        return dict(sorted(members.items()))


def pairs(count: int, seed: int) -> list[tuple[Json, Json]]:
    writer = Writer(seed)
    found: list[tuple[Json, Json]] = []
    for number in range(count):
        a = parse(writer.container())
        found.append((a, writer.changed(a) if number % 3 else parse(writer.container())))
    return found


def test_operations_turn_the_first_document_into_the_second() -> None:
    kinds: set[str] = set()
    for a, b in pairs(2_000, seed=1):
        before = repr(a)
        operations = json_diff.diff(a, b)
        assert json_diff.apply(operations, a) == b, f"{before} to {b!r}"
        assert repr(a) == before, "the document itself has changed"
        assert bool(operations) == (a != b)
        kinds.update(operation.kind for operation in operations)
    assert kinds == {"add", "remove", "replace"}


def test_operations_name_the_old_value_at_its_place() -> None:
    for a, b in pairs(1_000, seed=2):
        for operation in json_diff.diff(a, b):
            if operation.kind != "add":
                assert at(a, operation.path_in_a) == operation.old
            if operation.kind != "remove":
                assert at(b, operation.path) == operation.new


def at(value: Any, path: json_diff.Path) -> Json:
    for step in path:
        value = value[step]
    found: Json = value
    return found


def test_any_bound_gives_a_coarser_result_that_is_still_right() -> None:
    for number, (a, b) in enumerate(pairs(1_500, seed=3)):
        effort = Effort(iter([True] * (number % 12) + [False] * 10_000).__next__)
        effort._operations, effort._steps = number % 7, number % 5
        operations = json_diff.diff(a, b, effort)
        assert json_diff.apply(operations, a) == b
        assert len(operations) <= max(1, number % 7)


def test_equal_parts_and_differences_are_all_items_once() -> None:
    for a, b in pairs(500, seed=4):
        if not (isinstance(a, list) and isinstance(b, list)) or a == b:
            continue
        found = list(json_diff.walk(a, b, Effort()))
        same = sum(one.count for one in found if isinstance(one, Same) and one.path == ())
        removed = sum(isinstance(one, Operation) and one.kind == "remove" and len(one.path) == 1 for one in found)
        pairs_below = {one.path[0] for one in found if not isinstance(one, Same) and one.path_in_a[:1] != ()}
        assert same + removed <= len(a) <= same + removed + len(pairs_below)


def plain_patch(text: str, document: Any) -> Any:
    """Apply a JSON Patch as RFC 6902 says, with the values of Python's own parser."""
    root = [document]
    for operation in json.loads(text):
        steps = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
        parent, key = root, 0
        for step in steps:
            parent, key = parent[key], step
            key = int(step) if isinstance(parent, list) else step
        if operation["op"] == "remove":
            del parent[key]
        elif operation["op"] == "add" and isinstance(parent, list):
            parent.insert(key, operation["value"])
        else:
            parent[key] = operation["value"]
    return root[0]


def test_patch_is_what_rfc_6902_says() -> None:
    refused = 0
    for a, b in pairs(800, seed=5):
        try:
            text = patch_text(json_diff.diff(a, b), a, b)
        except NoPatchError:
            refused += 1
            continue
        plain_a, plain_b = json.loads(text_of(a, 100_000)), json.loads(text_of(b, 100_000))
        patched = plain_patch(text, plain_a)
        assert json.dumps(patched, sort_keys=True) == json.dumps(plain_b, sort_keys=True)
    assert 0 < refused < 500


@pytest.mark.parametrize("letters", ["ab", "abcdefghijklmnopqrstuvwxyz"], ids=["few", "many"])
def test_edits_turn_the_first_sequence_into_the_second(letters: str) -> None:
    source = random.Random(6)
    for number in range(1_000):
        a = [source.choice(letters) for _ in range(source.randrange(30))]
        b = [source.choice(letters) for _ in range(source.randrange(30))]
        if number % 2:
            b = a[: source.randrange(30)] + b[:3] + a[source.randrange(30) :]
        effort = Effort()
        effort._steps = number % 40 if number % 3 else 10_000
        found = edits.edits(a, b, effort)
        assert edits.apply(found, a) == b
        of_bytes = edits.edits("".join(a).encode(), "".join(b).encode())
        assert edits.apply(of_bytes, "".join(a).encode()) == "".join(b).encode()
        for before, after in pairwise(of_bytes):
            assert before.at_a + len(before.removed) < after.at_a, "equal items are between two edits"


def test_pieces_of_a_line_give_both_versions() -> None:
    source = random.Random(7)
    for _ in range(1_000):
        old = " ".join(source.choice(("one", "two", "3", "x=1;")) for _ in range(source.randrange(12)))
        new = " ".join(source.choice(("one", "two", "3", "x=1;")) for _ in range(source.randrange(12)))
        found = edits.pieces(old, new, Effort())
        assert "".join(piece.old for piece in found) == old
        assert "".join(piece.new for piece in found) == new
