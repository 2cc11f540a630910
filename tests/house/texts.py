"""Find the English in a file of this repository: comments, docstrings, texts shown to users, names of tests.

Code is left out, and so is anything quoted in backticks. Each text keeps its line breaks, so that a position in it
gives the line in the file.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# A string literal of fewer words is rather a key, a path or a format than English.
MIN_WORDS_OF_A_LITERAL = 3
WORD = re.compile(r"[A-Za-z][A-Za-z'’]*")
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)|\b\w+(?:\.\w+)+(?:\(\))?|\b\w+\(\)", re.DOTALL)
_LITERAL_BLOCK = re.compile(r"(?<=::)\n(?:[ \t]*\n)*(?P<indent>[ \t]+).*(?:\n(?:(?P=indent).*|[ \t]*$))*", re.MULTILINE)


@dataclass(frozen=True)
class Text:
    """A passage of English. ``kind`` is comment, docstring, literal, test name, heading or text."""

    line: int
    text: str
    kind: str


def find_texts(path: Path, source: str) -> list[Text]:
    """Return the texts of a file by its name's suffix; none for a kind of file that we do not know."""
    reader = _READERS.get(path.suffix) or _READERS.get(path.name)
    if path.name.endswith(".sh.tftpl") or (
        reader is None and source.startswith("#!") and "sh" in source.partition("\n")[0]
    ):
        reader = _from_shell
    texts = reader(source) if reader else ()
    return [Text(text.line, without_code(text.text), text.kind) for text in texts if text.text.strip()]


def without_code(text: str) -> str:
    """Replace code in backticks, dotted names and calls by ``§``, and keep the line breaks."""
    return _CODE.sub(lambda match: "§" + "\n" * match[0].count("\n"), text)


def _from_python(source: str) -> Iterator[Text]:
    tree = ast.parse(source)
    docstrings = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not isinstance(node, ast.Module | ast.ClassDef) and node.name.startswith("test_"):
            yield Text(node.lineno, node.name.removeprefix("test_").replace("_", " "), "test name")
        first = node.body[0] if node.body else None
        if (
            ast.get_docstring(node, clean=False)
            and isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
        ):
            docstrings.add(first.value)
            yield Text(first.lineno, _without_blocks(str(first.value.value)), "docstring")
    yield from _literals(tree, docstrings)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [(t.start[0], t.string, t.line.lstrip().startswith("#")) for t in tokens if t.type == tokenize.COMMENT]
    yield from _joined(comments)


def _literals(node: ast.AST, docstrings: set[ast.Constant]) -> Iterator[Text]:
    """Yield string literals; an f-string is one text, with ``§`` for each value."""
    if isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "§" for part in node.values]
        yield from _literal(node.lineno, "".join(parts))
        children: Iterable[ast.AST] = [part for part in node.values if not isinstance(part, ast.Constant)]
    else:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield from _literal(node.lineno, node.value)
        children = ast.iter_child_nodes(node)
    for child in children:
        yield from _literals(child, docstrings)


def _literal(line: int, text: str) -> Iterator[Text]:
    if len(WORD.findall(text)) >= MIN_WORDS_OF_A_LITERAL and " " in text.strip():
        yield Text(line, text, "literal")


def _joined(comments: Iterable[tuple[int, str, bool]]) -> Iterator[Text]:
    """Join the comments of consecutive lines that hold nothing else: (line, comment, whether it is alone)."""
    block: list[str] = []
    start = 0
    for line, comment, is_alone in comments:
        if block and not (is_alone and line == start + len(block)):
            yield Text(start, "\n".join(block), "comment")
            block = []
        start = start if block else line
        block.append(re.sub(r"^(#+|//+)[:!]? ?", "", comment))
        if not is_alone:
            yield Text(start, "\n".join(block), "comment")
            block = []
    if block:
        yield Text(start, "\n".join(block), "comment")


def _without_blocks(docstring: str) -> str:
    """Leave out the indented code after ``::``."""
    return _LITERAL_BLOCK.sub(lambda match: "\n" * match[0].count("\n"), docstring)


def _from_markdown(source: str) -> Iterator[Text]:
    text = _blank(r"^(?P<fence>```+|~~~+).*?^(?P=fence)", source)
    text = _blank(r"<!--.*?-->|</?\w[^>]*>|\]\([^)]*\)|https?://\S+", text)
    for match in re.finditer(r"(?:^(?!#{1,6} ).*\n?)+|^#{1,6} .*$", text, re.MULTILINE):
        kind = "heading" if match[0].startswith("#") else "text"
        yield Text(_line_at(text, match.start()), match[0], kind)


def _from_template(source: str) -> Iterator[Text]:
    for match in re.finditer(r"\{#-?(.*?)-?#\}|<!--(.*?)-->", source, re.DOTALL):
        yield Text(_line_at(source, match.start()), match[1] or match[2] or "", "comment")
    text = _blank(r"\{#.*?#\}|<!--.*?-->", source)
    for match in re.finditer(r"\{[{%].*?[%}]\}", text, re.DOTALL):
        for literal in re.finditer(r"\"([^\"]*)\"|'([^']*)'", match[0]):
            yield from _literal(_line_at(text, match.start() + literal.start()), literal[1] or literal[2] or "")
    text = _blank(r"\{%.*?%\}", re.sub(r"\{\{.*?\}\}", _as_mark, text, flags=re.DOTALL))
    for match in re.finditer(r"\b(?:title|alt|placeholder|aria-[a-z]+|data-[a-z-]+)=\"([^\"]*)\"", text):
        yield from _literal(_line_at(text, match.start(1)), match[1])
    inline = re.sub(r"</?(?:a|b|i|em|strong|code|span|kbd|abbr|time|small|mark|q|bdi)\b[^>]*>", _as_space, text)
    for match in re.finditer(r"(?:\A|>)([^<>]*\w[^<>]*)(?=<|\Z)", inline):
        yield Text(_line_at(inline, match.start(1)), match[1], "text")


def _from_css(source: str) -> Iterator[Text]:
    for match in re.finditer(r"/\*(.*?)\*/", source, re.DOTALL):
        yield Text(_line_at(source, match.start()), match[1], "comment")


_JAVASCRIPT = re.compile(
    r"/\*(?P<block>.*?)\*/|(?P<line>//[^\n]*)"
    r"|\"(?P<double>(?:\\.|[^\"\\\n])*)\"|'(?P<single>(?:\\.|[^'\\\n])*)'|`(?P<template>(?:\\.|[^`\\])*)`"
    r"|(?:[=(,:!&|?;\[]|return)\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/",
    re.DOTALL,
)


def _from_javascript(source: str) -> Iterator[Text]:
    comments = []
    for match in _JAVASCRIPT.finditer(source):
        line = _line_at(source, match.start())
        if match["line"]:
            is_alone = not source[: match.start()].rpartition("\n")[2].strip()
            comments.append((line, match["line"], is_alone))
        elif match["block"]:
            yield Text(
                line, re.sub(r"^\s*\* ?|\{@?[\w.<>|, \[\]]*\}", "", match["block"], flags=re.MULTILINE), "comment"
            )
        elif text := match["double"] or match["single"] or match["template"]:
            yield from _literal(line, re.sub(r"\$\{[^}]*\}", _as_mark, text))
    yield from _joined(comments)


def _from_shell(source: str) -> Iterator[Text]:
    """Read the comments and the texts in double quotes of a shell script, a Makefile or the like."""
    comments = []
    for line, content in enumerate(source.splitlines(), 1):
        if line == 1 and content.startswith("#!"):
            continue
        if match := re.search(r"(?:^|\s)(#.*)$", content):
            comments.append((line, match[1], not content[: match.start(1)].strip()))
        for literal in re.finditer(r'"([^"]*)"', content[: match.start(1)] if match else content):
            yield from _literal(line, literal[1])
    yield from _joined(comments)


def _from_yaml(source: str) -> Iterator[Text]:
    """Read the comments and what is described: ``description``, ``summary`` and ``title``."""
    pattern = (
        r"^(?P<indent> *)(?:- )?(?:description|summary|title): *"
        r"(?P<text>[^\n]*(?:\n(?:(?P=indent) +[^\n]*| *(?=\n)))*)"
    )
    for match in re.finditer(pattern, source, re.MULTILINE):
        yield Text(_line_at(source, match.start()), re.sub(r"^[|>][-+]?", "", match["text"]), "text")
    yield from (text for text in _from_shell(source) if text.kind == "comment")


def _blank(pattern: str, text: str) -> str:
    return re.sub(pattern, _as_space, text, flags=re.DOTALL | re.MULTILINE)


def _as_space(match: re.Match[str]) -> str:
    return " " + "\n" * match[0].count("\n")


def _as_mark(match: re.Match[str]) -> str:
    return "§" + "\n" * match[0].count("\n")


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


_READERS: dict[str, Callable[[str], Iterator[Text]]] = {
    ".py": _from_python,
    ".md": _from_markdown,
    ".html": _from_template,
    ".css": _from_css,
    ".js": _from_javascript,
    ".mjs": _from_javascript,
    ".tf": _from_shell,
    ".hcl": _from_shell,
    ".sh": _from_shell,
    ".toml": _from_shell,
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
    "Makefile": _from_shell,
    "Dockerfile": _from_shell,
    ".editorconfig": _from_shell,
    ".dockerignore": _from_shell,
    ".gcloudignore": _from_shell,
}
