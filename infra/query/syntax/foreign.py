"""Operators of other filter languages: a filter that read them as text or values would silently find nothing. Pure.

Each is refused with a sentence that says how this language writes it, and how to write text, names and values that
really look like this: in quotes.
"""

import re

_TEXT = "; in quotes it is text."
_APART = f"an operator has no spaces around it (name>=10){_TEXT}"
_NEGATE = 'a - before a term negates it (-name=value); in quotes, ! is part of the name ("name!"=value) or text.'
_SINGLE = f"alternatives are joined by OR{_TEXT}"
_LONE = {
    "NOT": f"a - before a term negates it{_TEXT}",
    "||": _SINGLE,
    "|": _SINGLE,
    "&&": f"all terms hold anyway, so leave && out{_TEXT}",
    "&": f"all terms hold anyway, so leave & out{_TEXT}",
    "*": f"an empty filter finds every message{_TEXT}",
    **dict.fromkeys(("!=", "<>", "<", ">", "<=", ">="), _APART),
}
# In lower case they are ordinary words, so one that begins a filter is text.
_LOWER = {
    "or": f"alternatives are joined by OR, in capitals{_TEXT}",
    "and": f"all terms hold anyway, so leave and out{_TEXT}",
    "not": f"a - before a term negates it{_TEXT}",
}
# A name as typed: quoted parts and characters that are no operator.
_NAME = r'(?:"(?:[^"\\]|\\.)*+"|!(?![=~])|[^"=~:<>!])++'
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r'(?P<at>)(?:message\.)?attributes?\.[^"=~:<>!]*+[=~:<>!]'),
        'an attribute has no prefix (name=value); in quotes, all of it is the name ("attributes.name"=value).',
    ),
    (
        re.compile(r'data\.[^"=~:<>!]++(?P<at>:)(?!\S*\.\.)'),
        f"a field equals a value by =, and contains a text by ~; a range has two dots (data.name:10..20){_TEXT}",
    ),
    (re.compile(rf"{_NAME}(?P<at>!~)"), _NEGATE),
    (re.compile(r'(?P<at>!)[\w"(]'), _NEGATE),
    (
        re.compile(rf"{_NAME}(?P<at>==)"),
        'one = is enough (name=value); in quotes, the second one is part of the value (name="=value").',
    ),
    (
        re.compile(rf"{_NAME}(?P<at>=~)"),
        'name~value finds a part of a value, name=~/v.*/ an expression; in quotes, ~ is part of it (name="~value").',
    ),
    (
        re.compile(rf"{_NAME}(?P<at><>)"),
        'values that differ are found by != (name!=value); in quotes, <> is part of the name ("name<>"=value) or text.',
    ),
    (
        re.compile(rf'{_NAME}[=~](?P<at>\*)[^"]*+\Z|{_NAME}[=~][^"]*?(?P<last>\*)\Z'),
        'a value has no wildcards: name~part finds a part, name~ any value; in quotes, * is part of it (name="part*").',
    ),
    (
        re.compile(rf"{_NAME}[=~](?P<at>')"),
        "double quotes enclose a value; within them, ' is part of it (name=\"'value'\").",
    ),
    (re.compile(r"[\w.\-]++(?P<at>\*)\Z"), f"a text is found within words anyway, so leave * out{_TEXT}"),
    (re.compile(r"(?P<at>)hasPrefix\("), f"name~part finds the values that contain a part{_TEXT}"),
)


def foreign_at(term: str) -> tuple[int, str] | None:
    """Return where in ``term``, as typed, a foreign operator is, and the sentence about it; None without one."""
    if term in _LONE:
        return 0, _LONE[term]
    start = int(term.startswith("-"))
    for pattern, sentence in _WORDS:
        if match := pattern.match(term, start):
            return match.start("at" if match["at"] is not None else "last"), sentence
    return None


def lone_word(word: str) -> str:
    """Return the sentence about ``or``, ``and`` or ``not`` as a term; empty for every other word."""
    return "" if word.isupper() else _LOWER.get(word.lower(), "")


def looks_foreign(text: str) -> bool:
    """Tell whether ``text`` must be quoted to be read as text, or as a name or value."""
    return text.lower() in _LOWER or any(foreign_at(form) for form in (text, f"{text}=a", f"a={text}"))
