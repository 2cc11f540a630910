"""The Markdown pages of the repository, as tests read them."""

import re
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
DOCS = ROOT / "docs"
# Folders of tools; a clone may hold any of them.
_NOT_OURS = {".git", ".venv", "node_modules", ".terraform", ".pytest_cache"}


def all_pages() -> list[Path]:
    """Every Markdown page of the repository."""
    found = (path for path in ROOT.rglob("*.md") if not _NOT_OURS & set(path.relative_to(ROOT).parts))
    return sorted(found)


def name_of(page: Path) -> str:
    """The page's path from the root; it names a test's case."""
    return page.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    """The text of a page, named from the root."""
    return (ROOT / name).read_text()


def rows(name: str, table: int = 0, heading: str = "") -> list[list[str]]:
    """The cells of a page's table, without its head; under a heading when one is given."""
    text = read(name)
    if heading:
        text = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    tables = [block for block in text.split("\n\n") if block.lstrip("\n").startswith("|")]
    lines = tables[table].strip("\n").splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def blocks(language: str, text: str) -> list[str]:
    """The fenced code blocks of one language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)


def sections(text: str) -> list[str]:
    """The text up to the first heading of the second level, then each section with its heading."""
    return re.split(r"^(?=## )", text, flags=re.MULTILINE)


def headings(text: str) -> set[str]:
    """The anchors of a page's headings, as the repository's host makes them."""
    without_code = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# The pages with commands, terraform.tfvars examples and tables about a deployment.
DEPLOYMENT = (
    "terraform/README.md",
    "docs/deployment.md",
    "docs/deployment-cloud-build.md",
    "docs/deployment-gcloud.md",
    "docs/operations.md",
    "docs/costs.md",
    "docs/firestore-console.md",
)
DEPLOYMENT_TEXT = "\n".join(map(read, DEPLOYMENT))


def deployment_sections() -> list[tuple[str, str]]:
    """Each section of the deployment's pages: where it is (page and heading), and its text."""
    found = []
    for name in DEPLOYMENT:
        for section in sections(read(name)):
            found.append((f"{name}: {section.splitlines()[0].strip('# ')}", section))
    return found
