"""Count the phrases that make our English hard to read, per 1,000 words and per folder.

    python -m tests.house.prose                 # the whole repository
    python -m tests.house.prose --show infra    # each place in a folder: file, line, phrase

Exits with 1 when a phrase is more frequent than MAX_RATE in any folder. A folder of the first or second level with
fewer than MIN_WORDS words is added to its parent.
"""

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.house.texts import WORD, Text, find_texts

ROOT = Path(__file__).resolve().parents[2]
MAX_RATE = 0.5
MIN_WORDS = 1000
# These quote the phrases in order to look for them.
_QUOTING = {"tests/house/prose.py", "tests/house/test_prose.py"}
_SKIPPED = re.compile(r"(^|/)(vendor|node_modules)/|requirements\.txt$")

_START = r"(?:\A|(?<=[.:;!?]\s)|(?<=[.!?][\"”')]\s)|(?<=\n\n)|(?<=[-*]\s)|(?<=\d\.\s))\s*"
_BE = r"(?:is|are|was|were|be|been|being)"
_SIZES = "many|much|few|little|large|big|small|long|short|late|early|old|new|often|slow|fast|deep|wide|high|low|far"


def _phrase(pattern: str) -> re.Pattern[str]:
    """Compile a pattern in which a space stands for any white space, so that a line break does not hide a phrase."""
    return re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE)


PATTERNS: dict[str, re.Pattern[str]] = {
    "What/Who at the start": _phrase(rf"{_START}\b(?:what|whatever|who|whoever|whom|whomever|whose)\b \w+"),
    "somebody/nobody": _phrase(r"\b(?:some|no|any|every)body(?:'s|’s)?\b"),
    "whatever/whose": _phrase(r"\b(?:whatever|whoever|whomever|whosoever|whose|whom|whichever)\b"),
    ", too": _phrase(rf", too\b(?! (?:{_SIZES})\b)"),
    "all the same": _phrase(r"(?<!\bare\s)(?<!\bwere\s)(?<!\bbe\s)\ball the same\b"),
    "but for": _phrase(r"\bbut for\b"),
    "of its own": _phrase(r"\bof (?:its|their|one's|one’s|our|his|her|your|my) own\b"),
    "anew": _phrase(r"\banew\b"),
    "in the midst of": _phrase(r"\bin (?:the )?midst\b"),
    "may not": _phrase(r"(?<!\bor\s)\bmay not\b"),
    "any more": _phrase(r"\bany more\b(?! \w+s\b| of\b| than\b)"),
    "so much/many/long/often": _phrase(r"\bso (?:much|many|long|often)\b"),
    "at this moment": _phrase(r"\bat (?:this|that|the same) moment\b"),
    "meanwhile": _phrase(r"\bmeanwhile\b"),
    "people's verbs": _phrase(
        rf"\b(?:los(?:e|es|ing|t) patience|refus(?:e|es|ed|ing) to|{_BE} told|sa(?:y|ys|id|ying) so"
        r"|kn(?:ow|ows|own|ew) of|(?:has|have|had) no business|complain(?:s|ed|ing)?|gets? to (?:see|know|hear)"
        r"|thinks?|thought|forg(?:et|ets|ot|otten|etting) (?:it|them|about))\b"
    ),
}
NO_PERIOD = "first line without a period"


@dataclass(frozen=True)
class Hit:
    """A phrase at a place."""

    path: str
    line: int
    pattern: str
    phrase: str


@dataclass
class Folder:
    """The words of a folder, and how often each pattern was found in them."""

    words: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Folder") -> None:
        """Count the words and phrases of another folder here."""
        self.words += other.words
        self.counts += other.counts

    def rates(self) -> dict[str, float]:
        """Return the phrases per 1,000 words, the most frequent first; fewer words count as MIN_WORDS."""
        return {name: 1000 * count / max(self.words, MIN_WORDS) for name, count in self.counts.most_common()}


def find_phrases(text: Text) -> Iterator[tuple[int, str, str]]:
    """Yield line, pattern and phrase of each match in one text."""
    for name, pattern in PATTERNS.items():
        for match in pattern.finditer(text.text):
            if name == "What/Who at the start" and (text.kind == "heading" or _is_question(text.text, match.end())):
                continue
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            yield text.line + text.text.count("\n", 0, start), name, _excerpt(text.text, start, match.end())
    if text.kind == "docstring":
        first_line = text.text.strip().partition("\n")[0].rstrip()
        if not first_line.endswith((".", "?", "!", ":", ".)")):
            yield text.line, NO_PERIOD, first_line[-60:]


def _is_question(text: str, position: int) -> bool:
    end = re.compile(r"[.!?](?=[\s\"”')]|\Z)|\n\s*\n").search(text, position)
    return end is not None and end[0] == "?"


def _excerpt(text: str, start: int, end: int) -> str:
    return " ".join((text[max(0, start - 30) : start] + "»" + text[start:end] + "«" + text[end : end + 30]).split())


def scan(paths: Iterable[str]) -> tuple[list[Hit], dict[str, Folder]]:
    """Read files, given relative to the root; return each phrase, and the words and counts of each folder."""
    hits: list[Hit] = []
    folders: dict[str, Folder] = {}
    for path in paths:
        folder = folders.setdefault("/".join(path.split("/")[:-1][:2]) or ".", Folder())
        try:
            source = (ROOT / path).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        for text in find_texts(Path(path), source):
            if path in _QUOTING and text.kind == "literal":
                continue
            folder.words += len(WORD.findall(text.text))
            for line, name, phrase in find_phrases(text):
                folder.counts[name] += 1
                hits.append(Hit(path, line, name, phrase))
    return hits, with_small_ones_in_parents(folders)


def with_small_ones_in_parents(folders: dict[str, Folder]) -> dict[str, Folder]:
    """Add each folder of fewer than MIN_WORDS words to its parent, the deepest first."""
    merged = {name: Folder(folder.words, folder.counts.copy()) for name, folder in folders.items()}
    for name in sorted(folders, key=lambda name: -name.count("/")):
        if name != "." and merged[name].words < MIN_WORDS:
            parent = name.rpartition("/")[0] or "."
            merged.setdefault(parent, Folder()).add(merged.pop(name))
    for name in [name for name in merged if "/" not in name and name != "." and merged[name].words < MIN_WORDS]:
        merged.setdefault(".", Folder()).add(merged.pop(name))
    return dict(sorted(merged.items()))


def files_of(paths: Sequence[str]) -> list[str]:
    """Return the repository's files, also new ones, under the given paths."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(path for path in set(listed.splitlines()) if not _SKIPPED.search(path))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rates, the places on request, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.house.prose", description="Count hard English.")
    parser.add_argument("paths", nargs="*", default=["."], help="files or folders; the whole repository by default")
    parser.add_argument("--show", action="store_true", help="print each place: file, line, phrase")
    options = parser.parse_args(arguments)
    hits, folders = scan(files_of(options.paths))
    if options.show:
        for hit in sorted(hits, key=lambda hit: (hit.path, hit.line)):
            print(f"{hit.path}:{hit.line}: {hit.pattern}: {hit.phrase}")
    failed = False
    for name, folder in folders.items():
        print(f"{name}: {folder.words:,} words")
        for pattern, rate in folder.rates().items():
            failed |= rate > MAX_RATE
            print(f"  {'FAIL' if rate > MAX_RATE else '    '} {rate:6.2f}  {folder.counts[pattern]:4}  {pattern}")
    print(f"Too frequent: over {MAX_RATE} per 1,000 words. See --show." if failed else "The English is plain.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
