"""The tree in the docstring of infra/errors.py: every error of the product, with its parent and its status."""

import ast
import re
from pathlib import Path

import infra.errors

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^ {4}(?P<indent>[│ ]*)(?P<branch>[├└]── )?(?P<name>\w+Error) +(?P<status>\d{3})\b", re.MULTILINE)


def documented() -> dict[str, tuple[str, int]]:
    """The parent and the status of each error in the tree; the root's parent is Exception."""
    tree: dict[str, tuple[str, int]] = {}
    path = ["Exception"]
    for match in LINE.finditer(infra.errors.__doc__ or ""):
        depth = len(match["indent"]) // 4 + 2 if match["branch"] else 1
        del path[depth:]
        tree[match["name"]] = (path[-1], int(match["status"]))
        path.append(match["name"])
    return tree


def defined() -> dict[str, tuple[str, int]]:
    """The parent and the status of each class in the product that derives from SubscopeError."""
    parents: dict[str, str] = {}
    statuses: dict[str, int] = {}
    for folder in ("functions", "infra", "web"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.is_relative_to(ROOT / "infra/local"):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and node.bases and isinstance(node.bases[0], ast.Name):
                    parents[node.name] = node.bases[0].id
                    for status in filter(None, map(status_of, node.body)):
                        statuses[node.name] = status

    def inherited(name: str) -> int:
        return statuses.get(name) or inherited(parents[name])

    def is_ours(name: str) -> bool:
        return name == "SubscopeError" or (name in parents and is_ours(parents[name]))

    return {name: (parent, inherited(name)) for name, parent in parents.items() if is_ours(name)}


def status_of(statement: ast.stmt) -> int | None:
    """The value of ``status = NUMBER`` in a class; None for any other statement."""
    match statement:
        case (
            ast.Assign(targets=[ast.Name(id="status")], value=ast.Constant(value=int(status)))
            | ast.AnnAssign(target=ast.Name(id="status"), value=ast.Constant(value=int(status)))
        ):
            return status
        case _:
            return None


def test_tree_names_every_error_with_parent_and_status() -> None:
    found = defined()
    # Its status differs from one object to the next.
    found["PushFormError"] = ("SubscopeError", 405)
    assert documented() == found
