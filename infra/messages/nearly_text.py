"""Bytes that are not UTF-8, yet text for a reader: a log line in Latin-1, or text with a broken character. Pure.

Such a payload stays ``binary`` for filters, masks and the API, because its text is a guess. Lists and pages show it as
text, with each byte that is not UTF-8 as ``\\xfc``.
"""

import codecs
import re

# The beginning decides, so that 10 MB of other bytes cost no more.
_SAMPLE_BYTES = 64 * 1024
# Text has no control characters except layout and the escape of terminal colours.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_BYTES_FOR_EACH_MARK = 10
_MIN_BYTES = 4
_MARK_CHARACTERS = 4
_decoder = codecs.getincrementaldecoder("utf-8")


def is_nearly_text(data: bytes) -> bool:
    """Tell whether the first 64 KiB have no control characters, and at most one byte in ten that is not UTF-8.

    One such byte is also allowed in a payload of four to nine bytes.
    """
    sample = data[:_SAMPLE_BYTES]
    if len(sample) < _MIN_BYTES or _CONTROL.search(sample):
        return False
    return marked_text(sample, cut=len(data) > len(sample))[1] <= max(1, len(sample) // _BYTES_FOR_EACH_MARK)


def marked_text(data: bytes, *, cut: bool) -> tuple[str, int]:
    """Decode UTF-8 with a mark, ``\\xfc``, for each byte of no character; return the text and the number of marks.

    ``cut``: leave out the half of a character at the end.
    """
    text = _decoder("backslashreplace").decode(data, final=not cut)
    without_marks = _decoder("ignore").decode(data, final=not cut)
    return text, (len(text) - len(without_marks)) // _MARK_CHARACTERS
