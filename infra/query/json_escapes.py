"""Resolve the escapes of JSON strings in a text, so that a search finds what the text means. Pure.

Writers of JSON escape different characters: Python all but ASCII, PHP the slash, Go ``&``, ``<`` and ``>``.
"""

import json
import re

_STRINGS = json.JSONDecoder(strict=False)
# `visible` writes characters beyond 16 bits like this.
_LONG = "U(000[0-9a-f]{5}|0010[0-9a-f]{4})"
_LONG_ESCAPE = re.compile(rf"\\{_LONG}")
_SHORT = r'(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
# A run at once: two escapes may be one character. The backslash comes first, so that the search jumps to it.
_ESCAPES = re.compile(rf"\\(?:{_SHORT}(?:\\{_SHORT})*+|{_LONG})")
_FEW = 100
_NO_ESCAPE = re.compile(r'\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')


def without_escapes(text: str) -> str:
    """Return ``text`` with ``\\u00fc``, ``\\/``, ``\\"`` and so on as the characters that they mean.

    ``text`` may be any text: a JSON value, one that is cut, or no JSON. A backslash that begins no escape stays.
    """
    if text.count("\\") <= _FEW:
        return _ESCAPES.sub(_resolved, text)
    # One string literal for the decoder in C, which resolves thousands of escapes in the time of a hundred.
    pairs_apart = text.replace("\\\\", "\\u005c")
    try:
        return _decoded(pairs_apart)
    except ValueError:
        short = _LONG_ESCAPE.sub(_resolved_long, pairs_apart)
        return _decoded(_NO_ESCAPE.sub(r"\\u005c", short))


def _resolved(run: re.Match[str]) -> str:
    return _resolved_long(run) if run[1] else str(_STRINGS.decode(f'"{run[0]}"'))


def _resolved_long(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


def _decoded(text: str) -> str:
    literal = text.replace('\\"', "\\u0022").replace('"', "\\u0022")
    return str(_STRINGS.decode(f'"{literal}"'))
