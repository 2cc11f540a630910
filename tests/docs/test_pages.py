"""Every page: its links, the files, make targets and tests that it names, and its place in the table of contents."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.pages import DOCS, ROOT, all_pages, headings, name_of, read, rows

_PATH = re.compile(r"`((?:\.ci|docs|functions|infra|terraform|tests|web)/[\w./-]*)`")
_FILE = re.compile(r"`(\w[\w.-]*\.(?:cfg|hcl|html|json|md|py|sh|tf|tftpl|toml|txt|yaml))`")
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
# A file that a reader makes, one that terraform makes, and Cloud Build's page of another repository.
_MADE = {"terraform.tfvars", "backend.tf", "ready.json"}
_KINDS = {"spoofing", "tampering", "repudiation", "disclosure", "denial", "elevation"}
# An id of OWASP's ASVS 5.0: chapter, section, requirement.
_REQUIREMENT = r"(?:1[0-7]|[1-9])\.[1-9]\.[1-9]\d?"
PICTURE_BYTES = 250 * 1024

pages = pytest.mark.parametrize("page", all_pages(), ids=name_of)


@pages
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for link in ("".join(found) for found in _LINK.findall(page.read_text())):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in headings(path.read_text())):
            wrong.append(link)
    assert not wrong, f"{name_of(page)} links to {wrong}"


@pages
def test_named_files_exist(page: Path) -> None:
    text = page.read_text()
    missing = [name for name in _PATH.findall(text) if not (ROOT / name).exists()]
    deployment = ROOT / "terraform"
    places = (page.parent, ROOT, deployment, deployment / "modules/subscope", ROOT / "web")
    missing += [
        name
        for name in _FILE.findall(text)
        if name not in _MADE and not any((place / name).exists() for place in places)
    ]
    assert not missing, f"{name_of(page)} names {missing}"


@pages
def test_make_targets_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(" ".join(re.findall(r"^([a-z -]+):", makefile, re.MULTILINE)).split())
    text = page.read_text()
    named = set(re.findall(r"`make ([a-z-]+)", text)) | set(re.findall(r"^(?:\$ )?make ([a-z-]+)", text, re.MULTILINE))
    assert named <= targets, f"{name_of(page)} names {sorted(named - targets)}, which the Makefile does not have"


@pages
def test_pages_name_nothing_of_a_workplace(page: Path) -> None:
    text = page.read_text()
    assert not re.findall(r"(?:/home/|/root/|/work/|/Users/|/tmp/)\S+", text), "an absolute path of one machine"
    assert not re.findall(r"(?i)\b(?:issue|pull request|session)s? (?:no\.? ?)?#?\d+|(?<![\w&/(`])#\d+\b", text)


def test_each_page_of_docs_is_in_a_table_of_contents() -> None:
    linked = set()
    for contents in (ROOT / "README.md", DOCS / "README.md"):
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", contents.read_text())
        linked |= {(contents.parent / link).resolve() for link in links}
    missing = [name_of(page) for page in sorted(DOCS.rglob("*.md")) if page not in linked]
    assert not missing, f"neither README.md nor docs/README.md links to {missing}"


def test_pictures_are_small() -> None:
    sizes = {picture.name: picture.stat().st_size for picture in (DOCS / "images").iterdir()}
    assert sorted(sizes) == [
        f"{scene}-{scheme}.png" for scene in ("list", "message", "stop") for scheme in ("dark", "light")
    ]
    assert not {name: size for name, size in sizes.items() if size > PICTURE_BYTES}


def test_plots_are_small_and_shown() -> None:
    plots = sorted((DOCS / "plots").iterdir())
    assert not [plot.name for plot in plots if plot.suffix != ".svg" or plot.stat().st_size > PICTURE_BYTES]
    shown = re.findall(r"\]\(plots/(\S+)\)", read("docs/reliability.md"))
    assert sorted(shown) == [plot.name for plot in plots]


def test_decisions_are_numbered_and_have_three_parts() -> None:
    records = sorted((DOCS / "decisions").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for record in records:
        text = record.read_text()
        assert text.startswith(f"# {record.name[:4]} ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_threats_are_complete_and_each_names_its_tests() -> None:
    threats = rows("docs/security.md", heading="Threats")
    assert [row[0] for row in threats] == [f"T{number}" for number in range(1, 41)]
    for number, threat, defence, tests, requirements in threats:
        kinds = threat.partition(":")[0].lower().split(", ")
        assert _KINDS.issuperset(kinds), f"{number} has another kind than STRIDE's"
        assert defence, number
        assert re.search(r"`test_\w+`", tests), f"{number} names no test"
        assert re.fullmatch(rf"none|{_REQUIREMENT}(?:, {_REQUIREMENT})*", requirements), (
            f"{number} names no requirement"
        )


def test_named_tests_exist() -> None:
    missing = []
    for _, _, _, tests, _ in rows("docs/security.md", heading="Threats"):
        path = None
        for name in re.findall(r"`([\w./]+)`", tests):
            if name.endswith(".py"):
                path = ROOT / name
            elif path is None or not path.exists() or name not in functions_of(path):
                missing.append(f"{path and name_of(path)}: {name}")
    assert not missing, f"docs/security.md names tests that do not exist: {missing}"


def test_readme_is_one_page() -> None:
    assert len(read("README.md").split()) < 900
