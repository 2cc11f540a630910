"""Write out the characters that a reader cannot see or that reorder others, and show every letter. Pure.

The tables are ours: those of Python change with its version, and call newer letters unprintable. They are the stable
sets of the Unicode Standard 17.0: the general categories Cc, Cs, Co, Zl and Zp, the noncharacters (section 23.7), the
interlinear annotations, and Default_Ignorable_Code_Point (DerivedCoreProperties.txt), which has the bidirectional
controls, the zero-width characters and the tags. Spaces have a width, so they are shown as spaces.

A joiner, a variation selector or a tag is part of the text where it changes a shown character, and is kept there.
"""

import re

_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    # Surrogates, then private use: only the number of such a character has a meaning for every reader.
    "\ud800-\uf8ff"
    "\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    # The empty planes 4 to 13 are whole: every range above U+FFFF costs time for each character.
    "\U0001fffe\U0001ffff\U0002fffe\U0002ffff\U0003fffe-\U000e0fff\U000efffe-\U0010ffff"
)
# Letters that change their form beside a joiner: Arabic to Mandaic, the scripts of India and their relatives, Khmer,
# Mongolian, Hanifi Rohingya, Sogdian to Elymaic, Adlam.
_JOINED = (
    "\u0600-\u061b\u061d-\u08ff\u0900-\u0dff\u0f00-\u109f\u1700-\u17b3\u17b6-\u180a\u1810-\u18af\u1900-\u1c7f"
    "\u1cd0-\u1cff\ua800-\ua82f\ua840-\ua95f\ua980-\uaaff\uabc0-\uabff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00010a5f\U00010ac0-\U00010aff\U00010b80-\U00010baf\U00010d00-\U00010d3f\U00010f30-\U00010fff"
    "\U00011000-\U00011fff\U0001e900-\U0001e95f"
)
_MONGOLIAN = "\u1820-\u18aa"
_EMOJI = "\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_IDEOGRAPHS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fffd\U00030000-\U0003fffd"
# Characters with standard variations (StandardizedVariants.txt, emoji-variation-sequences.txt), by blocks.
_VARIED = (
    f"{_EMOJI}{_IDEOGRAPHS}\xa9\xae\u1000-\u109f\u203c\u2049\u2122\u2139\u2200-\u22ff\u2460-\u25ff\u2900-\u297f"
    "\u2a00-\u2aff\u3001\u3002\u3030\u303d\u3297\u3299\ua840-\ua877\uaa60-\uaa7f"
)
# The flags of England, Scotland and Wales. Any other tags after the black flag are drawn as nothing.
_FLAG = "\U0001f3f4"
_FLAGS = {"".join(chr(0xE0000 + ord(letter)) for letter in name) + "\U000e007f" for name in ("gbeng", "gbsct", "gbwls")}

_ALWAYS_ESCAPED = {chr(code): f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_HIDDEN_RUN = re.compile(f"[{_HIDDEN}]+")
_BETWEEN_EMOJI = f"(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
_VARIATION = re.compile(f"(?<=[{_VARIED}]).|(?<=[#*0-9])\ufe0f(?=\u20e3)")
_IDEOGRAPH_VARIATION = re.compile(f"(?<=[{_IDEOGRAPHS}]).")
_MONGOLIAN_VARIATION = re.compile(f"(?<=[{_MONGOLIAN}]).")
# The pattern that a hidden character meets, at its place in a text, where it is kept.
_KEPT = {
    "\u200c": re.compile(f"(?<=[{_JOINED}]).|(?<=[!-~\xa1-\xac\xae-\u02ff]).(?=[{_JOINED}])"),
    "\u200d": re.compile(f"(?<=[{_JOINED}]).|{_BETWEEN_EMOJI}"),
    "\u180e": re.compile(f"(?<=[{_MONGOLIAN}]).(?=[{_MONGOLIAN}])"),
    **dict.fromkeys("\u180b\u180c\u180d\u180f", _MONGOLIAN_VARIATION),
    **dict.fromkeys(map(chr, range(0xFE00, 0xFE10)), _VARIATION),
    **dict.fromkeys(map(chr, range(0xE0100, 0xE01F0)), _IDEOGRAPH_VARIATION),
}
_BEFORE_ANOTHER = "\u180e\u200c\u200d" + "".join(map(chr, range(0xE0000, 0xE0080)))


def visible(text: str) -> str:
    """Write out what hides or reorders characters as JSON does: ``\\n``, ``\\u202e``; keep all else as it is.

    Unicode's control pictures would be shorter, but many fonts lack them.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN_RUN.sub(_written, text)


def visible_start(text: str, max_characters: int) -> str:
    """Write out the start of ``text`` as ``visible`` does, in at most ``max_characters``."""
    shown = visible(text[: max_characters + 1])
    if len(shown) <= max_characters:
        return shown
    # A joiner or a tag at the cut has lost the character that it was kept for.
    return shown[:max_characters].rstrip(_BEFORE_ANOTHER)


def is_visible(text: str) -> bool:
    """Tell whether ``visible`` shows ``text`` as it is."""
    return visible(text) == text


def _written(run: re.Match[str]) -> str:
    hidden, text, start = run[0], run.string, run.start()
    if hidden in _ALWAYS_ESCAPED:
        return _ALWAYS_ESCAPED[hidden]
    if hidden in _FLAGS and text.startswith(_FLAG, max(0, start - 1)):
        return hidden
    return "".join(_kept_or_escaped(character, text, position) for position, character in enumerate(hidden, start))


def _kept_or_escaped(character: str, text: str, position: int) -> str:
    kept = _KEPT.get(character)
    if kept and kept.match(text, position):
        return character
    code = ord(character)
    return _ALWAYS_ESCAPED.get(character) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
