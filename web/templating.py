"""Settings that the templates of pages and of rows share."""

import re

from jinja2 import Environment, StrictUndefined
from jinja2.ext import Extension

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)


class WithoutIndentation(Extension):
    """Strip the indentation of a template when it is compiled, so that none of it is sent.

    No template has text whose leading white space matters: payloads and form values are inserted when it is rendered.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the source without white space at the start of its lines."""
        return _INDENTATION.sub("", source)


def prepare(environment: Environment) -> None:
    """Set what all templates rely on. Call it before the first template is loaded."""
    environment.undefined = StrictUndefined
    environment.autoescape = True
    environment.trim_blocks = True
    environment.add_extension(WithoutIndentation)
