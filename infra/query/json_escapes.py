"""Resolve the escapes of JSON strings in a text, so that a search finds what the text means. Pure.

Writers of JSON escape different characters: Python all but ASCII, PHP the slash, Go ``&``, ``<`` and ``>``.
"""

import json
import re

_STRINGS = json.JSONDecoder(strict=False)
# `visible` writes characters beyond 16 bits like this.
_LONG_ESCAPE = re.compile(r"\\U(000[0-9a-f]{5}|0010[0-9a-f]{4})")
_NO_ESCAPE = re.compile(r'\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')


def without_escapes(text: str) -> str:
    """Return ``text`` with ``\\u00fc``, ``\\/``, ``\\"`` and so on as the characters that they mean.

    ``text`` may be any text: a JSON value, one that is cut, or no JSON. A backslash that begins no escape stays.
    """
    # One string literal for the decoder in C: resolving each escape in Python takes a hundred times as long.
    pairs_apart = text.replace("\\\\", "\\u005c")
    try:
        return _decoded(pairs_apart)
    except ValueError:
        short = _LONG_ESCAPE.sub(lambda match: chr(int(match[1], 16)), pairs_apart)
        return _decoded(_NO_ESCAPE.sub(r"\\u005c", short))


def _decoded(text: str) -> str:
    literal = text.replace('\\"', "\\u0022").replace('"', "\\u0022")
    return str(_STRINGS.decode(f'"{literal}"'))
