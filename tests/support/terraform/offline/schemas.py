"""The schemas of the providers in use: extracted from the wheels of their bindings on PyPI, once, and kept in a cache.

The bindings are those of CDK Terrain (MPL-2.0). They are downloaded when a test first needs them, never distributed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.terraform.offline.bindings import extract

PINS = Path(__file__).absolute().parents[3] / "terraform/pins/schemas.txt"
_DOWNLOAD_SECONDS = 300
_KINDS = ("resource_schemas", "data_source_schemas", "ephemeral_resource_schemas")


class SchemasError(Exception):
    """The schemas are not in the cache and cannot be downloaded."""


def schemas_of(used: set[str], cache: Path) -> list[dict[str, Any]]:
    """Return the providers' schemas, with the ``used`` types alone: terraform reads them five times as fast.

    google-beta has the types that google lacks.

    Raises SchemasError.
    """
    documents = [json.loads(_cached(name, pin, cache).read_text()) for name, pin in pins().items()]
    served: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    for document in documents:
        for provider in document["provider_schemas"].values():
            for kind in _KINDS:
                wanted = used - served[kind]
                provider[kind] = {name: schema for name, schema in provider[kind].items() if name in wanted}
                served[kind] |= provider[kind].keys()
    return documents


def pins() -> dict[str, str]:
    """Return the line of PINS, with its hashes, for each provider."""
    lines = PINS.read_text().replace("\\\n", " ").splitlines()
    return {match[1]: line for line in lines if (match := re.match(r"cdktn-provider-([\w-]+)==", line))}


def _cached(name: str, pin: str, cache: Path) -> Path:
    path = cache / f"{name}-{pin.split()[0].partition('==')[2]}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as directory:
            document = extract(_download(pin, Path(directory)))
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True))
        part.replace(path)
    return path


def _download(pin: str, directory: Path) -> Path:
    wanted = directory / "wanted.txt"
    wanted.write_text(f"{pin}\n")
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes"]
    command = [*download, "--no-deps", "--dest", str(directory), "--requirement", str(wanted)]
    try:
        subprocess.run(command, check=True, timeout=_DOWNLOAD_SECONDS, capture_output=True, text=True)
    except (subprocess.SubprocessError, OSError) as exc:
        raise SchemasError(f"{pin.split()[0]} cannot be downloaded: {exc}") from exc
    (wheel,) = directory.glob("*.whl")
    return wheel
