"""Serve static files under an address that changes with any of them, so that browsers keep them without asking again.

The address is ``/static/VERSION/NAME``. Relative imports of modules and style sheets therefore stay within one version,
and no module is requested a second time only to be answered 304.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import flask_bootstrap
from flask import Flask, send_from_directory, url_for
from werkzeug.wrappers import Response

_OURS = Path(__file__).parents[1] / "static"
# Served as one of our files, so that the version covers it and css/main.css can put it into a layer.
_BOOTSTRAP_NAME = "bootstrap/css/bootstrap.min.css"
_BOOTSTRAP_FOLDER = Path(flask_bootstrap.__file__).parent / "static/bootstrap5/css"


def init_app(app: Flask) -> None:
    """Serve the files and offer ``asset`` to templates."""
    app.add_url_rule("/static/<version>/<path:filename>", "static", _send)
    app.jinja_env.globals["asset"] = asset


def asset(filename: str) -> str:
    """Return the address of a static file."""
    return url_for("static", version=current_version(), filename=filename)


@cache
def current_version() -> str:
    """Return a hash over the names and contents of all static files."""
    digest = hashlib.sha256()
    for name, path in _files():
        content = path.read_bytes()
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:12]


def _files() -> Iterator[tuple[str, Path]]:
    for path in sorted(_OURS.rglob("*")):
        if path.is_file():
            yield path.relative_to(_OURS).as_posix(), path
    yield _BOOTSTRAP_NAME, _BOOTSTRAP_FOLDER / "bootstrap.min.css"


def _send(version: str, filename: str) -> Response:
    if filename == _BOOTSTRAP_NAME:
        response = send_from_directory(_BOOTSTRAP_FOLDER, "bootstrap.min.css")
    else:
        response = send_from_directory(_OURS, filename)
    # During a roll-out a page of the previous revision may ask this one: it gets today's file, but must not keep it.
    if version == current_version():
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
