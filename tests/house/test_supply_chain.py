"""The packages and images that Subscope is built from: pinned, with hashes, in use, and under a known licence."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from docs.tools import pin_images

ROOT = Path(__file__).resolve().parents[2]
PINS = (
    "requirements.txt",
    "web/requirements.txt",
    "infra/local/requirements.txt",
    "tests/requirements.txt",
    "tests/javascript/requirements.txt",
    "tests/terraform/pins/checkers.txt",
    "tests/terraform/pins/schemas.txt",
)
# How many commands in a file install or download packages.
INSTALLERS = {
    "Makefile": 1,
    "tests/Dockerfile": 1,
    "tests/support/terraform/offline/schemas.py": 1,
    "tests/support/terraform/runner.py": 2,
    "web/Dockerfile": 1,
}
# Images without a digest, and why: none can be known without asking a registry, so `make pin-images` adds them.
UNPINNED_IMAGES = {
    "gcr.io/cloud-builders/docker": "Google publishes no version of it; Cloud Build has it on its machines.",
    "gcr.io/google.com/cloudsdktool/google-cloud-cli:573.0.0-emulators": "The tests' gcloud; it never reaches a user.",
    "hashicorp/terraform:1.11.4": "The version is exact, and the providers are those of the lock file.",
    "python:3.11.15-slim-trixie": "Its publisher rebuilds the tag with Debian's security fixes; --pull takes them.",
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


# A command, in a shell or as words of Python: pip … install …; but not advice in brackets.
INSTALLS = re.compile(r"""(?<!\()\bpip\d?\b"?\)?(?:[^|;&]*)[\s"](?:install|download)[\s"]""")


def sources() -> Iterator[Path]:
    """Yield the files that may run commands, except those of tools that work in the repository, and this one."""
    for directory, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name == ".ci" or not (name[0] == "." or name == "node_modules")]
        paths = (Path(directory) / name for name in names)
        yield from (path for path in paths if path.suffix in ("", ".py", ".sh", ".yaml") and path != Path(__file__))


def test_every_pip_install_requires_hashes() -> None:
    found: dict[str, int] = {}
    for path in sources():
        lines = re.sub(r"\\\n", " ", path.read_text(errors="replace")).splitlines()
        installs = [line for line in lines if INSTALLS.search(line) and not line.lstrip().startswith("#")]
        assert all("--require-hashes" in line for line in installs), f"{path}: {installs}"
        found |= {path.relative_to(ROOT).as_posix(): len(installs)} if installs else {}
    assert found == INSTALLERS


def test_every_npm_package_has_a_hash() -> None:
    lock = json.loads((ROOT / "tests/javascript/package-lock.json").read_text())
    packages = {name: fields for name, fields in lock["packages"].items() if name}
    assert packages
    assert all(fields["integrity"].startswith("sha512-") for fields in packages.values())


def test_images_without_a_digest_are_documented() -> None:
    named = dict(found for path in pin_images.files() for found in pin_images.images(path.read_text()))
    assert set(named) == set(UNPINNED_IMAGES)
    assert all(len(reason) > 40 for reason in UNPINNED_IMAGES.values())
    text = (ROOT / "docs/deployment.md").read_text()
    assert all(f"`{image}`" in text for image in UNPINNED_IMAGES)


def test_every_name_of_an_image_is_seen() -> None:
    """Except those that a build computes ($), the stages of a file, and the arguments that hold a name."""
    for path in pin_images.files():
        text = path.read_text()
        names = re.findall(
            r"^FROM (\S+)|^    name: (\S+)|^ARG (?:BASE|GCLOUD|PYTHON|TERRAFORM)=(\S+)", text, re.MULTILINE
        )
        wanted = {name for name in map("".join, names) if not name.startswith("$")}
        assert {f"{name}@{digest}".rstrip("@") for name, digest in pin_images.images(text)} == wanted


# A docker that answers as buildx does; it knows every image but one.
DOCKER = """#!/bin/sh
for image; do :; done
case $image in
  unknown*) echo "ERROR: no such manifest" >&2; exit 1 ;;
esac
echo '{"mediaType": "application/vnd.oci.image.index.v1+json", "digest": "sha256:DIGEST", "size": 1}'
"""


def pinned(root: Path, digest: str, dockerfile: str) -> subprocess.CompletedProcess[str]:
    """Pin the images of a small repository at ``root`` that has this viewer's Dockerfile."""
    for name in ("web", "tests", "terraform/module"):
        (root / name).mkdir(parents=True, exist_ok=True)
    texts = {"web/Dockerfile": dockerfile, "tests/Dockerfile": "FROM a/b:1\n", "cloudbuild.yaml": BUILD}
    for name, text in {**texts, "terraform/module/viewer-image.yaml": BUILD}.items():
        (root / name).write_text(text)
    (root / "docker").write_text(DOCKER.replace("DIGEST", digest))
    (root / "docker").chmod(0o755)
    program = "import sys, pathlib, docs.tools.pin_images as p; sys.exit(p.main(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", program, str(root)]
    environ = {"PATH": f"{root}:/usr/bin:/bin"}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)


BUILD = "steps:\n  - id: x\n    name: r.io/c/docker\n  - id: y\n    name: $_IMAGES/tests:$BUILD_ID\n"
OLD, NEW = "1" * 64, "2" * 64


def test_images_are_pinned_and_pinned_again(tmp_path: Path) -> None:
    dockerfile = f"ARG BASE=python:3\nARG VERSION=0.1.0\nFROM ${{BASE}} AS x\nFROM old:1@sha256:{OLD} AS y\n"
    done = pinned(tmp_path, NEW, dockerfile)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "web/Dockerfile").read_text().splitlines() == [
        f"ARG BASE=python:3@sha256:{NEW}",
        "ARG VERSION=0.1.0",
        "FROM ${BASE} AS x",
        f"FROM old:1@sha256:{NEW} AS y",
    ]
    built = BUILD.replace("c/docker", f"c/docker@sha256:{NEW}")
    assert (tmp_path / "cloudbuild.yaml").read_text() == built
    assert (tmp_path / "terraform/module/viewer-image.yaml").read_text() == built


@pytest.mark.parametrize(
    ("digest", "dockerfile", "told"),
    [
        (NEW, "FROM unknown:1\n", "does not know unknown:1: ERROR: no such manifest. No file was changed."),
        ("short", "FROM known:1\n", "must be sha256: and 64 hex digits, found 'sha256:short'. No file was changed."),
    ],
)
def test_image_without_a_digest_changes_no_file(tmp_path: Path, digest: str, dockerfile: str, told: str) -> None:
    done = pinned(tmp_path, digest, dockerfile)
    assert done.returncode == 1
    assert told in done.stderr
    assert (tmp_path / "web/Dockerfile").read_text() == dockerfile
    assert (tmp_path / "cloudbuild.yaml").read_text() == BUILD


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
