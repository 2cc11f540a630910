"""The description of the JSON API: ``openapi.yaml``, written by hand. Tests compare it with the routes and answers."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).with_name("openapi.yaml")


@cache
def document() -> dict[str, Any]:
    """Return the whole description, OpenAPI 3.1. All callers share one object: do not change it."""
    parsed: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return parsed
