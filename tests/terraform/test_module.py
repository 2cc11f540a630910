"""The module by terraform's own judgement and checkov's, and what its plan says of topics, alerts and the dashboard."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.stage import MODULE, Terraform, resources, values


def test_it_is_formatted() -> None:
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed here")
    command = ["terraform", f"-chdir={MODULE}", "fmt", "-check", "-recursive"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"terraform fmt -recursive changes {done.stdout.split()}"


def test_it_is_valid(terraform: Terraform) -> None:
    terraform.run("validate")


@pytest.mark.slow
def test_it_passes_its_own_tests(terraform: Terraform) -> None:
    assert re.search(r"\d+ passed, 0 failed", terraform.run("test", "-no-color").stdout)


@pytest.mark.slow
def test_checkov_finds_nothing_and_every_skip_has_its_reason(programs: Path) -> None:
    command = [str(programs / "checkov"), "--directory", str(MODULE), "--framework", "terraform", "--skip-download"]
    found = subprocess.run([*command, "--output", "json", "--compact"], capture_output=True, text=True, timeout=120)
    results = json.loads(found.stdout)["results"]
    assert not [f"{one['check_id']} {one['resource']}" for one in results["failed_checks"]]
    skipped = {one["check_id"]: one["check_result"]["suppress_comment"] for one in results["skipped_checks"]}
    assert all(len(reason) > 20 for reason in skipped.values()), skipped
    written = set(re.findall(r"checkov:skip=(\w+)", "\n".join(path.read_text() for path in MODULE.glob("*.tf"))))
    assert set(skipped) == written, "a skip that skips nothing goes"


def test_variables_are_described_validated_and_in_order() -> None:
    text = (MODULE / "variables.tf").read_text()
    blocks = re.split(r"^variable ", text, flags=re.MULTILINE)[1:]
    names = [block.split('"')[1] for block in blocks]
    assert names == sorted(names)
    for name, block in zip(names, blocks, strict=True):
        assert re.search(r"^  description = \".{20,}\"$", block, re.MULTILINE), f"{name} has no description"
        assert re.search(r"^  type +=", block, re.MULTILINE), f"{name} has no type"
    outputs = re.findall(r'^output "(\w+)"', (MODULE / "outputs.tf").read_text(), re.MULTILINE)
    assert outputs == sorted(outputs)


def test_subscriptions_outlive_a_stop_and_dead_letters_are_kept(full_plan: dict[str, Any]) -> None:
    found = {one["values"]["name"]: one["values"] for one in resources(full_plan, "google_pubsub_subscription")}
    assert set(found) == {"events", "orders", "events-dead-letter-monitor", "orders-dead-letter-monitor"}
    assert all(one["expiration_policy"] == [{"ttl": ""}] for one in found.values())
    assert not any(one["push_config"] for one in found.values())
    for name in ("events", "orders"):
        assert found[name]["dead_letter_policy"][0]["dead_letter_topic"].endswith(f"/topics/{name}-dead-letter")
        assert found[f"{name}-dead-letter-monitor"]["message_retention_duration"] == "2678400s"
    assert found["orders"]["enable_message_ordering"] is True
    assert found["orders"]["message_retention_duration"] == "2678400s"


def queries(plan: dict[str, Any]) -> dict[str, str]:
    """Every PromQL query: those of alerts by the alert's name, the dashboard's by the chart's title."""
    alerts = {
        one["index"]: one["values"]["conditions"][0]["condition_prometheus_query_language"][0]["query"]
        for one in resources(plan, "google_monitoring_alert_policy")
    }
    board = json.loads(values(plan, "google_monitoring_dashboard.overview")["dashboard_json"])
    charts = [tile["widget"] for tile in board["mosaicLayout"]["tiles"]]
    shown = {one["title"]: one["xyChart"]["dataSets"][0]["timeSeriesQuery"]["prometheusQuery"] for one in charts}
    return {**alerts, **shown}


PARSE = "import json, sys, promql_parser\nfor query in json.load(sys.stdin).values(): promql_parser.parse(query)"


def test_queries_are_promql(full_plan: dict[str, Any], programs: Path) -> None:
    found = queries(full_plan)
    command = [str(programs / "python"), "-c", PARSE]
    parsed = subprocess.run(command, input=json.dumps(found), capture_output=True, text=True, timeout=60)
    assert parsed.returncode == 0, parsed.stderr[-600:]
    assert len(found) == 4 + 8


def test_a_stopped_subscription_is_not_late_until_it_loses_messages(full_plan: dict[str, Any]) -> None:
    found = queries(full_plan)
    assert re.search(r"> 900 and on \(subscription_id\) sum .*push_request_count.* > 0$", found["lag"])
    # 80 % of 7 and of 31 days, whether or not anything is pushed.
    assert 'subscription_id="events"}) > 483840' in found["retention"]
    assert 'subscription_id="orders"}) > 2142720' in found["retention"]
    assert "push_request_count" not in found["retention"]


def test_alerts_are_about_these_subscriptions_and_tell_somebody(full_plan: dict[str, Any]) -> None:
    for name in ("dead_letters", "failing_pushes", "lag"):
        assert 'subscription_id=~"events|orders"' in queries(full_plan)[name]
    policies = list(resources(full_plan, "google_monitoring_alert_policy"))
    assert all(
        one["values"]["conditions"][0]["condition_prometheus_query_language"][0]["disable_metric_validation"]
        for one in policies
    )
    assert [one["values"]["labels"] for one in resources(full_plan, "google_monitoring_notification_channel")] == [
        {"email_address": "ops@example.com"}
    ]


def test_tiles_do_not_overlap(plan: dict[str, Any]) -> None:
    board = json.loads(values(plan, "google_monitoring_dashboard.overview")["dashboard_json"])
    corners = [(tile["xPos"], tile["yPos"]) for tile in board["mosaicLayout"]["tiles"]]
    assert len(set(corners)) == len(corners) == 8
