"""JSON documents with secret members in every layout: the same ones in every run."""

import random
from collections.abc import Iterator

# Mask fields, and the names of members that they hide, in each spelling that a reader takes for the same.
MASKED_FIELDS = ("data.ssn", "data.card.number", "data.größe")
# Only secret values have these characters, so that one of them in a text gives the leak away.
SECRET_CHARACTERS = "QX95"
_SECRET_NAMES = (
    *("ssn", "SSN", r"\u0073sn", r"s\u0073N", "my.ssn", "card.number"),
    *("größe", "gro\u0308ße", r"gro\u0308\u00dfe", r"GR\u00d6SSE"),
)
_SECRETS = (
    *('"QX"', r'"Q\"X"', r'"\u0051X"', r'"Q\\"', r'"\\\"Q"', r'"\tQ\n"', r'"Q\u0058\/"', '"Q{[X"', '"X}],:Q"'),
    *("9", "-95.5e9", "9" * 30, '"' + "QX" * 40 + '"', '["Q",9]', '{"X":"Q","":[[5]]}', '{"ssn":9,"Q":{}}'),
)
_NAMES = ("a", "id", "text", "", r"a\u0062", "ssnx", "card", "{", r"\"", r"\\", "number")
_VALUES = (
    *('"b"', '"ssn"', r'"ssn\":1"', r'"\\"', '""', "1", "-0.10", "true", "null", "{}", "[]", '"}"', r'"\u00e0"'),
    '"' + "p" * 300 + '"',
)
_SPACES = ("", "", "", " ", "\t", "\n", "\r\n", " \t ", "\r", "\t\t", "\n\t")
# Characters that are written out where they are shown, so they cost more.
_ODD = ("\u200b", "\u2028", "\u200d", "\U000e0001", "\u00a0", "e\u0301")
ODD_SHARE = 0.05


def documents(count: int, seed: int) -> Iterator[str]:
    """Yield ``count`` documents; each has a secret member at a random depth and distance from the start."""
    writer = _Writer(random.Random(seed))
    for _ in range(count):
        yield writer.document()


class _Writer:
    def __init__(self, source: random.Random) -> None:
        self._random = source.random

    def document(self) -> str:
        text = self._object([self._secret_member(), self._filler()][:: 1 if self._random() < 0.5 else -1])
        if self._random() < 0.5:
            text = self._object([self._member(self._one(_NAMES), text)])
        if self._random() < 0.2:
            text = self._array([text, self._object([self._secret_member()])])
        if self._random() < ODD_SHARE:
            odd = self._one(_ODD)
            text = text.replace("Q", f"Q{odd}").replace('"a"', f'"a{odd}"').replace('"p', f'"{odd}')
        mark = "\ufeff" if self._random() < ODD_SHARE else ""
        return mark + self._space() + text + self._space()

    def _secret_member(self) -> str:
        if self._random() < 0.8:
            return self._member(self._one(_SECRET_NAMES), self._one(_SECRETS))
        card = self._object([self._filler(), self._member("number", self._one(_SECRETS))])
        return self._member("card", card if self._random() < 0.5 else self._array([card]))

    def _filler(self) -> str:
        return self._member(self._one(_NAMES), self._one(_VALUES))

    def _member(self, name: str, value: str) -> str:
        return f'{self._space()}"{name}"{self._space()}:{self._space()}{value}{self._space()}'

    def _object(self, members: list[str]) -> str:
        return "{" + ",".join(members) + "}"

    def _array(self, items: list[str]) -> str:
        return "[" + ",".join(self._space() + item + self._space() for item in items) + "]"

    def _space(self) -> str:
        return self._one(_SPACES)

    def _one(self, choices: tuple[str, ...]) -> str:
        return choices[int(self._random() * len(choices))]
