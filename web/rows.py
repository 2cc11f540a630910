"""One message as a row of the list: the one partial that pages and the stream share, the same for every reader.

Pure: it needs no request and no application, so the feed's thread renders with it.
"""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from infra.message import Message, visible
from web import formats

CHIPS = 6


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    add_filters(environment)
    return environment.get_template("_message.html")


def add_filters(environment: Environment) -> None:
    """Give templates the formats that rows and pages write with."""
    environment.filters.update(
        size=formats.size_text,
        iso=formats.iso,
        day=formats.day_text,
        clock=formats.clock_text,
        full=formats.full_text,
        span=formats.span_text,
        short=formats.short,
        visible=visible,
    )


def row_html(message: Message) -> str:
    """The row of one message: a ``<tr>``, escaped."""
    attributes = list(message.attributes.items())
    return _template().render(m=message, chips=attributes[:CHIPS], more=max(0, len(attributes) - CHIPS))
