"""Adds to each image that a file names the digest that its tag has now: ``make pin-images``. It needs docker buildx.

A pinned image gets no security fix by itself, so run it again before each release; the change is one commit to review.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
# The image's name with its tag, and the digest that may be there. Names that a build computes begin with $.
_IMAGE = re.compile(r"^(ARG [A-Z]+=|FROM | +name: )([a-z0-9][^\s@$]*)(@sha256:[0-9a-f]{64})?(?= |$)", re.MULTILINE)


class ImageError(Exception):
    """The digest of an image is unknown."""


def files(root: Path = ROOT) -> list[Path]:
    """Return the files that name images: those of Docker, and those of Cloud Build."""
    found = [root / "web/Dockerfile", root / "tests/Dockerfile", *root.glob("cloudbuild*.yaml")]
    return sorted([*found, *(root / "terraform").rglob("viewer-image.yaml")])


def images(text: str) -> Iterator[tuple[str, str]]:
    """Yield each image of a file's text, with its digest or ``""``."""
    for match in _IMAGE.finditer(text):
        if ":" in match[2] or "/" in match[2]:
            yield match[2], (match[3] or "").removeprefix("@")


def pinned(text: str, digests: dict[str, str]) -> str:
    """Return the text with the digests of its images."""

    def with_digest(match: re.Match[str]) -> str:
        return f"{match[1]}{match[2]}@{digests[match[2]]}" if match[2] in digests else match[0]

    return _IMAGE.sub(with_digest, text)


def digest_of(image: str) -> str:
    """Ask the registry for the digest of an image, for all of its platforms. Raises ImageError."""
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", image]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603
        digest = str(json.loads(done.stdout)["digest"])
    except subprocess.CalledProcessError as exc:
        raise ImageError(f"{' '.join(command[:4])} does not know {image}: {exc.stderr.strip()}") from exc
    except (OSError, subprocess.TimeoutExpired, ValueError, LookupError) as exc:
        raise ImageError(f"{' '.join(command[:4])} gave no digest of {image}: {exc!r}") from exc
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ImageError(f"the digest of {image} must be sha256: and 64 hex digits, found {digest!r}")
    return digest


def main(root: Path = ROOT) -> int:
    """Pin the images of all files, or of none; return the exit code."""
    texts = {path: path.read_text() for path in files(root)}
    try:
        digests = {
            name: digest_of(name) for name in sorted({name for text in texts.values() for name, _ in images(text)})
        }
    except ImageError as exc:
        print(f"{exc}. No file was changed.", file=sys.stderr)
        return 1
    for path, text in texts.items():
        path.write_text(pinned(text, digests))
    print(*(f"{name}@{digest}" for name, digest in digests.items()), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
