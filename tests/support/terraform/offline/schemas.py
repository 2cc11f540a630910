"""The schemas of the providers in use: extracted from the wheels of their bindings on PyPI, once, and kept in a cache.

The bindings are those of CDK Terrain (MPL-2.0). They are downloaded when a test first needs them, never distributed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.terraform.offline.bindings import extract

# google 21.1.0 is the provider's 8.7.0.
BINDINGS = {"google": "21.1.0", "random": "15.0.1", "archive": "14.0.1"}
_DOWNLOAD_SECONDS = 300
_KINDS = ("resource_schemas", "data_source_schemas", "ephemeral_resource_schemas")


class SchemasError(Exception):
    """The schemas are not in the cache and cannot be downloaded."""


def schemas_of(used: set[str], cache: Path) -> list[dict[str, Any]]:
    """Return the providers' schemas, with the ``used`` types alone: terraform reads them five times as fast.

    Raises SchemasError.
    """
    documents = [json.loads(_cached(name, version, cache).read_text()) for name, version in BINDINGS.items()]
    for document in documents:
        for provider in document["provider_schemas"].values():
            for kind in _KINDS:
                provider[kind] = {name: schema for name, schema in provider[kind].items() if name in used}
    return documents


def _cached(name: str, version: str, cache: Path) -> Path:
    path = cache / f"{name}-{version}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as directory:
            document = extract(_download(name, version, Path(directory)))
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True))
        part.replace(path)
    return path


def _download(name: str, version: str, directory: Path) -> Path:
    package = f"cdktn-provider-{name}=={version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(directory), package]
    try:
        subprocess.run(command, check=True, timeout=_DOWNLOAD_SECONDS, capture_output=True, text=True)
    except (subprocess.SubprocessError, OSError) as exc:
        raise SchemasError(f"{package} cannot be downloaded: {exc}") from exc
    (wheel,) = directory.glob("*.whl")
    return wheel
