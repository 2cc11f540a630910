"""The tables of the documentation, compared with the code that they describe."""

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from infra import settings
from infra.query import PREFIXES, parse
from infra.settings.parsers import Setting
from tests.support.local_cloud import Cloud
from tests.support.pages import ROOT, blocks, read, rows
from web import create_app
from web.access.roles import access_of


def test_settings_table_is_what_the_code_reads() -> None:
    used_by = {"both": settings.COMMON, "receiver": settings.RECEIVER, "viewer": settings.VIEWER}
    expected = [
        [f"`{row.name}`", service, default_of(row), row.meaning] for service, table in used_by.items() for row in table
    ]
    assert rows("docs/settings.md") == expected


def default_of(row: Setting) -> str:
    if row.default is None:
        return "required"
    return f"`{row.default}`" if row.default else ""


def test_every_example_of_the_filter_language_is_one_term() -> None:
    now, table = datetime.now(UTC), rows("docs/filter-language.md")
    examples = [row[0].strip("`") for row in table]
    operators = [row[0].strip("`") for index in (1, 2) for row in rows("docs/filter-language.md", index)]
    assert {"data.total>100", "size>10kb", "/time.?out/"} <= {*operators}
    for example in (*examples, *operators):
        assert len(parse(example, now).terms) == 1, example
    further = " ".join(row[1] for row in table)
    for example in re.findall(r"`([\w.*-]+[=~:][\w.*-]*)`", further):
        assert len(parse(example, now).terms) == 1, example
    assert {word.partition(":")[0] for word in examples if ":" in word.partition('"')[0]} == set(PREFIXES)


@pytest.mark.slow
def test_ready_file_keys_are_documented(cloud: Cloud) -> None:
    documented = {key for row in rows("docs/local-cloud.md", 1) for key in re.findall(r"`(\w+)`", row[0])}
    assert documented == set(json.loads(cloud.ready_file.read_text()))


def test_local_cloud_options_are_documented() -> None:
    documented = {re.findall(r"--[a-z-]+", row[0])[0] for row in rows("docs/local-cloud.md")}
    shown = subprocess.run(
        [sys.executable, "-m", "infra.local", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert documented == set(re.findall(r"^ +(?:-h, )?(--[a-z-]+)", shown.stdout, re.MULTILINE)) - {"--help"}


def test_api_table_has_every_route_with_its_role() -> None:
    environ = {row.name: "x" * 40 for row in (*settings.COMMON, *settings.VIEWER) if row.default is None}
    environ |= {"PUSH_SERVICE_ACCOUNT": "push@example.com", "PUSH_ENDPOINT": "https://receiver.example.com"}
    app, placeholder = create_app(settings.viewer_settings(environ)), r"{\1}"
    routes = {
        (f"{method} {re.sub(r'<(.*?)>', placeholder, rule.rule)}", access_of(app, rule.endpoint))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert {(row[0].strip("`"), row[1]) for row in rows("docs/api.md")} == routes


def run_examples(page: str, cloud: Cloud) -> str:
    """Run a page's shell examples on a cloud; return their output."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed here")
    example = "".join(blocks("sh", read(page)))
    example = example.replace(".local/ready.json", str(cloud.ready_file)).replace(".venv/bin/python", sys.executable)
    done = subprocess.run(["sh", "-euc", example], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_example_of_the_api_lists_messages(cloud: Cloud) -> None:
    assert set(json.loads(run_examples("docs/api.md", cloud))) == {"messages", "older", "looked_at"}


def test_example_of_a_signed_push_is_answered(cloud: Cloud) -> None:
    answer = run_examples("docs/local-cloud.md", cloud)
    assert answer.startswith("HTTP/1.1 400 ")
    assert "message: must be an object" in answer
