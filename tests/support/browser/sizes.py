"""Sizes of the browser's window."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
