"""Compare texts as readers do: case is ignored, and a letter with its accent equals both characters in one. Pure.

macOS writes ``ü`` as ``u`` and a combining accent (Unicode's NFD); keyboards write one character (NFC).
"""

import re
import unicodedata

# Sorting the accents of one letter takes quadratic time (8,000 of them: half a second of CPU), and no language has 30
# (unicode.org/reports/tr15, "Stream-Safe Text Format"). No accent is a word character, white space or ASCII.
_MANY_ACCENTS = re.compile(r"([^\w\s\x00-\x7f]{31,}+)")
_FOUR_ACCENTS = re.compile(r"[^\w\s\x00-\x7f]{4}")


def folded(text: str) -> str:
    """Return ``text`` without case and with composed letters: equal for texts that read the same."""
    return text.lower() if text.isascii() else composed(text).casefold()


def composed(text: str) -> str:
    """Return ``text`` in Unicode's NFC, except for letters with more than 30 accents."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    # The search looks at every eighth character only. That is ten times as fast, and a run of 32 accents always holds
    # four of them.
    if not _FOUR_ACCENTS.search(text[::8]):
        return unicodedata.normalize("NFC", text)
    # The pieces alternate: text, a run of accents, text …
    pieces = enumerate(_MANY_ACCENTS.split(text))
    return "".join(piece if place % 2 else unicodedata.normalize("NFC", piece) for place, piece in pieces)


def contains(text: str, part: str) -> bool:
    """Tell whether ``text`` contains ``part``, which is ``folded``: as it was sent, or with composed letters."""
    # Composing never brings ASCII characters together.
    return part in text.casefold() or (not part.isascii() and part in composed(text).casefold())
