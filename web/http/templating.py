"""Settings that the templates of pages and of rows share."""

import re

from jinja2 import Environment, StrictUndefined
from jinja2.ext import Extension

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
# A start tag; expressions and statements in it may contain ">".
_TAG = re.compile(r"<[a-z](?:\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|[^<>{])*>", re.DOTALL)
_LINE_BREAK = re.compile(r"\s*\n\s*")


class WithoutIndentation(Extension):
    """Strip the layout of a template when it is compiled, so that none of it is sent.

    Lines lose their indentation, and the attributes of a tag come on one line. Leading white space matters in no
    template: payloads and form values are inserted when it is rendered.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the source without white space that serves its reader only."""
        return _INDENTATION.sub("", _TAG.sub(_on_one_line, source))


def _on_one_line(tag: re.Match[str]) -> str:
    return _LINE_BREAK.sub(" ", tag[0])


def prepare(environment: Environment) -> None:
    """Set what all templates rely on. Call it before the first template is loaded."""
    environment.undefined = StrictUndefined
    environment.autoescape = True
    environment.trim_blocks = True
    environment.add_extension(WithoutIndentation)
