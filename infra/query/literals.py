"""Parse sizes that people type. Pure. Raises ValueError with an example of a valid value."""

import re

_SIZE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?([kmg]?i?b?)", re.IGNORECASE | re.ASCII)
_SIZE_UNITS: dict[str, int] = {
    "": 1,
    "b": 1,
    **{f"{letter}{end}": 1000**power for power, letter in enumerate("kmg", 1) for end in ("", "b")},
    **{f"{letter}i{end}": 1024**power for power, letter in enumerate("kmg", 1) for end in ("", "b")},
}


def size_bytes(text: str) -> int:
    """Parse a size in bytes: ``10kb`` is 10,000, ``1.5MiB`` is 1,572,864; a plain number counts bytes."""
    match = _SIZE.fullmatch(text)
    unit = _SIZE_UNITS.get(match[3].lower()) if match else None
    if not match or unit is None:
        raise ValueError("a size is a number and b, kb, mb, gb, kib, mib or gib, for example 10kb")
    thousandths = int((match[2] or "").ljust(3, "0"))
    return int(match[1]) * unit + thousandths * unit // 1000
