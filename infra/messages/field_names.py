"""Escape the names of attributes for Firestore, which forbids some field names. Pure."""

import re


def escape_name(name: str) -> str:
    """Escape an attribute's name for Firestore, reversibly: never empty, never ``__.*__``."""
    if not name:
        return "%"
    if name[0] != "_" and "%" not in name:
        return name
    escaped = name.replace("%", "%25")
    return "%5F" + escaped[1:] if re.fullmatch(r"__.*__", escaped, re.DOTALL) else escaped


def unescape_name(name: str) -> str:
    """Undo ``escape_name``."""
    if name == "%":
        return ""
    # Only these two escapes exist, and "%25" is undone last so that "%255F" gives "%5F".
    return ("_" + name[3:] if name.startswith("%5F") else name).replace("%25", "%")
