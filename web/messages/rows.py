"""One message as a row of the list, from one template for pages and the live stream.

All readers with the same columns and the same coloured filters get the same HTML. Pure: it needs no request and no
application, so that the feed's thread can render rows.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template
from markupsafe import Markup

from infra.messages.message import Message
from infra.messages.severity import severity_of
from infra.messages.visible_text import visible
from web import formats
from web.facets.row_facets import facets_of
from web.filters.columns import Columns, cells
from web.filters.highlights import Highlights, highlight_of
from web.filters.links import exclude_link, filter_link
from web.http.templating import prepare
from web.messages.summaries import summarise

CHIPS = 6
_MAX_CACHED_CHOICES = 64


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"), autoescape=True, auto_reload=False
    )
    prepare(environment)
    add_filters(environment)
    return environment.get_template("messages/_row.html")


def add_filters(environment: Environment) -> None:
    """Add the formats, links and summaries that the templates of rows and pages use."""
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
    environment.globals.update(
        exclude_link=exclude_link,
        facets_of=facets_of,
        filter_link=filter_link,
        latency=formats.latency_text,
        severity_of=severity_of,
        summarise=summarise,
    )


def row_html(message: Message, columns: Columns = (), highlights: Highlights = ()) -> Markup:
    """Render the row of one message, a ``<tr>``, marked by the first matching one of ``highlights``.

    The template escapes every value.
    """
    # Short attributes first: they are often a status or a type; long ones are mostly ids.
    attributes = sorted(message.attributes.items(), key=lambda pair: (len(pair[0]) + len(pair[1]), pair))
    html = _template().render(
        m=message,
        chips=attributes[:CHIPS],
        more=max(0, len(attributes) - CHIPS),
        cells=cells(message, columns),
        highlight=highlight_of(message, highlights),
    )
    return Markup(html)  # noqa: S704 - the template escapes every value


@lru_cache(_MAX_CACHED_CHOICES)
def row_with(columns: Columns, highlights: Highlights = ()) -> Callable[[Message], Markup]:
    """Return the function that renders rows; the same object for the same columns and highlights."""
    return lambda message: row_html(message, columns, highlights)
