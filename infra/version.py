"""The version of Subscope: pyproject.toml reads it from here, and so do the pages, ``/ready`` and the command.

A constant, because the function and the viewer's image run from source files without an installed package.
"""

VERSION = "0.1.0"


def version() -> str:
    """Return the version that runs, such as ``0.1.0``."""
    return VERSION
