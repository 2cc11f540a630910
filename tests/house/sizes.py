"""List files, folders and lines that are larger than the limits of the house.

python -m tests.house.sizes

Exits with 1 when it lists any.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 250
MAX_LINES_OF_A_TEST = 400
MAX_TEMPLATE_COLUMNS = 120
MAX_FILES = 15
CODE = {".py", ".js", ".mjs", ".css", ".html", ".tf", ".sh", ".tftpl"}
# Terraform reads one folder as one module, so that its files cannot be divided into folders; by its convention
# variables.tf declares all inputs. moved.tf is a list of all resources.
_LONG = {"terraform/modules/subscope/variables.tf", "terraform/moved.tf"}


def find_offenders(sources: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each limit that is exceeded; ``sources`` maps a path from the root to its text."""
    folders: Counter[str] = Counter()
    for path, source in sorted(sources.items()):
        if Path(path).suffix not in CODE:
            continue
        is_test = path.startswith("tests/")
        limit = MAX_LINES_OF_A_TEST if is_test else MAX_LINES
        lines = source.splitlines()
        if len(lines) > limit and path not in _LONG:
            yield f"{path}: {len(lines)} lines; at most {limit}"
        if path.endswith(".html"):
            for number, line in enumerate(lines, 1):
                if len(line) > MAX_TEMPLATE_COLUMNS:
                    yield f"{path}:{number}: {len(line)} characters; at most {MAX_TEMPLATE_COLUMNS}"
        folder = str(Path(path).parent)
        if not is_test and not _is_flat(folder) and Path(path).name != "__init__.py":
            folders[folder] += 1
    for folder, files in sorted(folders.items()):
        if files > MAX_FILES:
            yield f"{folder}/: {files} files; at most {MAX_FILES}"


def _is_flat(folder: str) -> bool:
    return folder == "terraform" or folder.startswith("terraform/modules/")


def main() -> int:
    """Print the offenders and return the exit code."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    paths = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    code = {path for path in paths if Path(path).suffix in CODE and "/vendor/" not in path}
    offenders = list(find_offenders({path: (ROOT / path).read_text() for path in code if (ROOT / path).is_file()}))
    print(*offenders, sep="\n")
    return int(bool(offenders))


if __name__ == "__main__":
    sys.exit(main())
