"""The packages and images that Subscope is built from: pinned, with hashes, in use, and under a known licence."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINS = (
    "requirements.txt",
    "web/requirements.txt",
    "infra/local/requirements.txt",
    "tests/requirements.txt",
    "tests/javascript/requirements.txt",
)
# Files that install packages.
INSTALLERS = (
    "Makefile",
    "web/Dockerfile",
    "cloudbuild.yaml",
    ".ci/run",
    "terraform/modules/subscope/viewer-image.yaml",
)
# Images by tag: their digests change with each rebuild of the tag. docs/deployment.md says how to pin them.
UNPINNED_IMAGES = {
    "gcr.io/cloud-builders/docker",
    "hashicorp/terraform:1.11.4",
    "python:3.11.15-slim-trixie",
    "python:3.11.15-trixie",
}
# Licences without obligations for a service or a program that only uses the package. MPL covers changed files alone.
LICENCES = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "Python-2.0",
    "Unlicense",
}
# The same licences in the words of older metadata.
WORDS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache software license": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "bsd license": "BSD",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
}
# Of packages that tests and checks use on a developer's machine, and that are never shipped. GPL: programs that are run
# as commands. axe-playwright-python has its licence, MIT, in a file only.
DEVELOPMENT_LICENCES = {
    "axe-playwright-python": {"none"},
    "codespell": {"GPL-2.0-only"},
    "djlint": {"GPL-3.0-or-later"},
    "numpy": {"0BSD", "BSD-3-Clause", "CC0-1.0", "MIT", "Zlib"},
    "pillow": {"MIT-CMU"},
    "regex": {"Apache-2.0", "CNRI-Python"},
}


def requirements(path: str) -> list[str]:
    """Return the logical lines of a pin file."""
    text = (ROOT / path).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def names(path: str) -> set[str]:
    return {line.split("==")[0] for line in requirements(path)}


@pytest.mark.parametrize("path", PINS)
def test_every_pin_is_exact_and_has_hashes(path: str) -> None:
    lines = requirements(path)
    assert lines
    wrong = [line[:60] for line in lines if not re.match(r"[a-z0-9-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line)]
    assert not wrong


def test_every_pip_install_requires_hashes() -> None:
    text = "\n".join((ROOT / path).read_text() for path in INSTALLERS)
    installs = [
        line for line in text.splitlines() if re.search(r"\bpip\b.* install ", line) and "uninstall" not in line
    ]
    assert len(installs) == 2, "the Makefile's PIP_INSTALL and the image"
    assert all("--require-hashes" in line for line in installs)


def test_every_npm_package_has_a_hash() -> None:
    lock = json.loads((ROOT / "tests/javascript/package-lock.json").read_text())
    packages = {name: fields for name, fields in lock["packages"].items() if name}
    assert packages
    assert all(fields["integrity"].startswith("sha512-") for fields in packages.values())


def images() -> Iterator[str]:
    for path in ("web/Dockerfile", "cloudbuild.yaml", "terraform/modules/subscope/viewer-image.yaml"):
        text = (ROOT / path).read_text()
        yield from re.findall(r"^FROM (\S+)", text, re.MULTILINE)
        yield from re.findall(r"^    name: (\S+)", text, re.MULTILINE)


def test_images_without_a_digest_are_documented() -> None:
    by_tag = {image for image in images() if "@sha256:" not in image}
    assert by_tag == UNPINNED_IMAGES
    text = (ROOT / "docs/deployment.md").read_text()
    assert all(f"`{image}`" in text for image in UNPINNED_IMAGES)


def test_dependencies_are_declared_and_used() -> None:
    command = [sys.executable, "-m", "deptry", "."]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stderr


def licences(name: str) -> set[str]:
    """Return the licences of an installed package by their SPDX names, as far as they are known."""
    fields = metadata.metadata(name).json
    if expression := fields.get("license_expression"):
        return set(re.split(r" AND | OR |[()]", str(expression))) - {""}
    prefix = "License :: OSI Approved :: "
    classifiers = [value for value in fields.get("classifier", []) if value.startswith(prefix)]
    found = [value.rpartition(" :: ")[2] for value in classifiers] or [str(fields.get("license") or "none")]
    return {WORDS.get(one.lower(), one) for one in found}


def test_every_licence_is_known() -> None:
    development = names("tests/requirements.txt") - names("requirements.txt") - names("web/requirements.txt")
    wrong = {}
    for name in sorted(names("tests/requirements.txt")):
        try:
            found = licences(name)
        except metadata.PackageNotFoundError:
            continue  # a package for another system
        is_allowed = name in development and found == DEVELOPMENT_LICENCES.get(name)
        if not (found <= LICENCES or is_allowed):
            wrong[name] = found
    assert not wrong
