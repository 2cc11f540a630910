import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.house import prose
from tests.house.prose import Folder, find_phrases, with_small_ones_in_parents
from tests.house.texts import Text, find_texts, without_code


def patterns_in(text: str, kind: str = "comment") -> list[str]:
    return [name for _, name, _ in find_phrases(Text(1, text, kind))]


START = "What/Who at the start"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is withheld is not read.", [START]),
        ("Read first. Who asks later waits.", [START]),
        ("Bounded: whoever asks waits.", [START, "whatever/whose"]),
        ("Whose an address is.", [START, "whatever/whose"]),
        ("First.\n\nWhat comes later is kept.", [START]),
        ("- What comes later is kept.", [START]),
        ("What is a masked field? See docs.", []),
        ("Not wrong. What is it?", []),
        ("See what is stored.", []),
        ("Whatsoever", []),
        ("nobody waits", ["somebody/nobody"]),
        ("Somebody's tab", ["somebody/nobody"]),
        ("someone waits", []),
        ("the client whose token expired", ["whatever/whose"]),
        ("the answer is dropped, too.", [", too"]),
        ("late, too many to count", []),
        ("It is stored all the same.", ["all the same"]),
        ("The sizes are all the same.", []),
        ("all but for one", ["but for"]),
        ("a scheduler of our own", ["of its own"]),
        ("its own scheduler", []),
        ("begun\nanew", ["anew"]),
        ("in the midst of an apply", ["in the midst of"]),
        ("in the\nmidst of an apply", ["in the midst of"]),
        ("The caller may not write.", ["may not"]),
        ("It may or may not have arrived.", []),
        ("is not here any more.", ["any more"]),
        ("without any more retries", []),
        ("waits so long", ["so much/many/long/often"]),
        ("at the same moment", ["at this moment"]),
        ("at the moment of the commit", []),
        ("Meanwhile, messages arrive.", ["meanwhile"]),
        ("the socket loses patience", ["people's verbs"]),
        ("The client is told.", ["people's verbs"]),
        ("The log says so.", ["people's verbs"]),
    ],
)
def test_phrases_of_a_text(text: str, expected: list[str]) -> None:
    assert patterns_in(text) == expected


@pytest.mark.parametrize("text", ["`meanwhile`", "``anew = nobody``", "meanwhile_seconds", "clock.meanwhile", "anew()"])
def test_phrases_in_code_are_not_counted(text: str) -> None:
    assert patterns_in(without_code(f"Read {text} first.")) == []


def test_heading_may_start_with_what() -> None:
    assert patterns_in("## What it costs", "heading") == []


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Read a message.", []),
        ("Read a message (or none.)", []),
        ("Read a message.\n\n    More of it without a period", []),
        ("Read a message", [prose.NO_PERIOD]),
        ("Read a message that\n    is long.", [prose.NO_PERIOD]),
    ],
)
def test_first_line_of_a_docstring_ends_with_a_period(docstring: str, expected: list[str]) -> None:
    assert patterns_in(docstring, "docstring") == expected


PYTHON = '''"""Own the messages.

Example::

    nobody = 1

More.
"""

import this  # beside code
# one sentence
# on two lines

def test_what_is_cut(one: str = "two words") -> None:
    """Cut."""
    text = f"Read {one} and two"
    raise ValueError("Three words "
                     "here")
'''
JAVASCRIPT = """// first
// second
const url = 'https://host/path';  // beside
/** Show a row.
 * @param {string} of the row
 */
const text = `Show ${count} of them`, pattern = /"[/'"]x/, label = "two words";
element.title = "It's three words";
"""
HTML = """<!doctype html>
{# a comment #}
<p class="x y z w" title="shown as a title">Some <b>bold</b> text {{ value }} here</p>
{% if x %}<button>Save</button>{{ "several words in code" }}{% endif %}
"""
MARKDOWN = """# A heading
Text with `code`.

```
nobody
```

| a | b |
"""
YAML = """# a comment
info:
  description: |
    First line.
    Second line.
  title: Short
run: nobody reads this value
"""
SHELL = """#!/bin/sh
# a comment
echo "three words here" # beside
x="two words"
"""


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        (
            "a.py",
            PYTHON,
            [
                (1, "docstring", "Own the messages. Example:: More."),
                (10, "comment", "beside code"),
                (11, "comment", "one sentence on two lines"),
                (14, "test name", "what is cut"),
                (15, "docstring", "Cut."),
                (16, "literal", "Read § and two"),
                (17, "literal", "Three words here"),
            ],
        ),
        (
            "a.js",
            JAVASCRIPT,
            [
                (1, "comment", "first second"),
                (3, "comment", "beside"),
                (4, "comment", "Show a row. @param of the row"),
                (7, "literal", "Show § of them"),
                (8, "literal", "It's three words"),
            ],
        ),
        (
            "a.html",
            HTML,
            [
                (2, "comment", "a comment"),
                (3, "literal", "shown as a title"),
                (3, "text", "Some bold text § here"),
                (4, "literal", "several words in code"),
                (4, "text", "Save"),
            ],
        ),
        ("a.md", MARKDOWN, [(1, "heading", "# A heading"), (2, "text", "Text with §. | a | b |")]),
        ("a.css", "a { b: c }\n/* Why. */", [(2, "comment", "Why.")]),
        ("a.yaml", YAML, [(1, "comment", "a comment"), (3, "text", "First line. Second line."), (6, "text", "Short")]),
        ("a.tf", SHELL, [(2, "comment", "a comment"), (3, "comment", "beside"), (3, "literal", "three words here")]),
        ("a.bin", "# nothing", []),
        ("run", "#!/usr/bin/env bash\n# a comment", [(2, "comment", "a comment")]),
    ],
)
def test_texts_of_a_file(name: str, source: str, expected: list[tuple[int, str, str]]) -> None:
    texts = sorted(find_texts(Path(name), source), key=lambda text: (text.line, text.kind))
    assert [(text.line, text.kind, " ".join(text.text.split())) for text in texts] == expected


def test_small_folders_are_added_to_their_parents() -> None:
    folders = {
        ".": Folder(10),
        "web": Folder(100),
        "web/live": Folder(1000, Counter(anew=2)),
        "web/http": Folder(950, Counter(anew=1)),
        "docs/tools": Folder(5),
    }
    assert with_small_ones_in_parents(folders) == {
        ".": Folder(15),
        "web": Folder(1050, Counter(anew=1)),
        "web/live": Folder(1000, Counter(anew=2)),
    }


def test_rate_of_a_small_folder_is_that_of_a_thousand_words() -> None:
    assert Folder(10, Counter(anew=1)).rates() == {"anew": 1.0}


def test_frequent_phrase_fails_and_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "page.md").write_text("Plain.\nIt begins anew.\n")
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    assert prose.main(["--show", "page.md"]) == 1
    assert "page.md:2: anew: Plain. It begins »anew«." in capsys.readouterr().out
    (tmp_path / "page.md").write_text("Plain.\nIt begins again.\n")
    assert prose.main(["page.md"]) == 0
