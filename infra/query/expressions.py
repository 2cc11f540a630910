"""Regular expressions of RE2, which takes time linear in the text, so that no expression can stop a search. Pure.

The time also grows with the compiled program, so its size is bounded: an instruction costs about 0.2 ms in the worst
payload of 16 KiB (tests/benchmarks/filters/predicate.py).
"""

from functools import lru_cache

import re2

MAX_CHARACTERS = 500
# A UUID has 72 instructions, an e-mail address 41, any character 9, and any letter of Unicode (\pL) 1,200.
MAX_INSTRUCTIONS = 200
# For the program and its states; RE2 works without states, more slowly, when they do not fit.
_MEMORY_BYTES = 256 * 1024


class Expression:
    """A compiled expression: case is ignored unless it begins with ``(?-i)``. Thread-safe."""

    def __init__(self, pattern: str) -> None:
        """Compile ``pattern``. Raises ValueError with the reason."""
        if len(pattern) > MAX_CHARACTERS:
            raise ValueError(f"an expression has at most {MAX_CHARACTERS} characters, this one {len(pattern)}")
        options = re2.Options()
        options.max_mem = _MEMORY_BYTES
        options.case_sensitive = False
        options.never_capture = True
        options.log_errors = False
        try:
            # Half a surrogate pair is no UTF-8; a page replaces it as well.
            self._compiled = re2.compile(pattern.encode(errors="replace"), options)
        except re2.error as exc:
            raise ValueError(f"this is no expression of RE2: {_reason(exc)}") from exc
        self.instructions: int = self._compiled.programsize
        if self.instructions > MAX_INSTRUCTIONS:
            raise ValueError(
                f"this expression has {self.instructions:,} instructions, at most {MAX_INSTRUCTIONS} are searched: "
                r"a repetition such as {100} counts as often as it repeats, and \pL 1,200"
            )

    def finds(self, text: str) -> bool:
        """Tell whether the expression occurs in ``text``."""
        return self.finds_in(text.encode(errors="replace"))

    def finds_in(self, text: bytes) -> bool:
        """Tell whether the expression occurs in ``text``, which is UTF-8; other bytes match nothing."""
        return self._compiled.search(text) is not None


# Filters of open pages and streams are parsed again and again.
@lru_cache(256)
def expression(pattern: str) -> Expression:
    """Return the compiled expression. Raises ValueError with the reason."""
    return Expression(pattern)


def _reason(error: "re2.error") -> str:
    reason = error.args[0]
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
