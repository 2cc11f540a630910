"""Compare texts as readers do: case is ignored, and a letter with its accent equals both characters in one. Pure.

macOS writes ``ü`` as ``u`` and a combining accent (Unicode's NFD); keyboards write one character (NFC).
"""

import re
import unicodedata

# Sorting the accents of one letter takes quadratic time (8,000 of them: half a second of CPU), and no language has 30
# (unicode.org/reports/tr15, "Stream-Safe Text Format"). No accent is a word character, white space or ASCII.
_MANY_ACCENTS = re.compile(r"([^\w\s\x00-\x7f]{31,}+)")


def folded(text: str) -> str:
    """Return ``text`` without case and with composed letters: equal for texts that read the same."""
    return text.lower() if text.isascii() else composed(text).casefold()


def composed(text: str) -> str:
    """Return ``text`` in Unicode's NFC, except for letters with more than 30 accents."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    # The pieces alternate: text, a run of accents, text …
    pieces = enumerate(_MANY_ACCENTS.split(text))
    return "".join(piece if place % 2 else unicodedata.normalize("NFC", piece) for place, piece in pieces)


def forms(text: str) -> tuple[str, ...]:
    """Return ``text`` without case, as it was sent and, where that differs, composed: a search looks at each."""
    letters = composed(text)
    return (text.casefold(),) if letters is text else (text.casefold(), letters.casefold())


def contains(text: str, part: str) -> bool:
    """Tell whether ``text`` contains ``part``, which is ``folded``."""
    return any(part in form for form in forms(text))
