"""Alerts and the dashboard: their PromQL parses, and their metrics and labels exist."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from docs.tools.costs import ALERTS
from infra.pubsub.backlog import _MESSAGES as MESSAGES
from infra.pubsub.backlog import _OLDEST as OLDEST
from tests.support.terraform.runner import PROJECT, Terraform, resources, values


def queries(plan: dict[str, Any]) -> dict[str, str]:
    """Return every PromQL query: those of alerts by name, those of the dashboard by the chart's title."""
    alerts = {
        entry["index"]: entry["values"]["conditions"][0]["condition_prometheus_query_language"][0]["query"]
        for entry in resources(plan, "google_monitoring_alert_policy")
        if entry["name"] == "alert"
    }
    board = json.loads(values(plan, "google_monitoring_dashboard.overview")["dashboard_json"])
    charts = [tile["widget"] for tile in board["mosaicLayout"]["tiles"]]
    shown = {chart["title"]: chart["xyChart"]["dataSets"][0]["timeSeriesQuery"]["prometheusQuery"] for chart in charts}
    return {**alerts, **shown}


PARSE = "import json, sys, promql_parser\nfor query in json.load(sys.stdin).values(): promql_parser.parse(query)"


def assert_promql(promql: dict[str, str], programs: Path) -> None:
    """Assert that each query parses; fail with the parser's message."""
    command = [str(programs / "python"), "-c", PARSE]
    parsed = subprocess.run(command, input=json.dumps(promql), capture_output=True, text=True, timeout=60)
    assert parsed.returncode == 0, parsed.stderr[-600:]


def test_queries_are_promql(full_plan: dict[str, Any], programs: Path) -> None:
    promql = queries(full_plan)
    assert_promql(promql, programs)
    # One alert is about a log, and has no query.
    assert len(promql) == ALERTS - 1 + 8


def test_special_characters_in_ids_are_escaped(terraform: Terraform, programs: Path) -> None:
    plan = terraform.plan("odd", f'project = "{PROJECT}"\nsubscriptions = {{ "a+b.c~d" = {{ topic = "odd" }} }}')
    promql = queries(plan)
    assert_promql(promql, programs)
    # Two backslashes in a PromQL string are one in the regular expression.
    assert r'subscription_id=~"a\\+b\\.c~d"' in promql["lag"]
    assert r"subscription_id=~'a\\+b\\.c~d'" in promql["Pushes per second, by answer"]


def test_stopped_subscription_alerts_only_before_it_loses_messages(full_plan: dict[str, Any]) -> None:
    promql = queries(full_plan)
    assert re.search(r"> 900 and on \(subscription_id\) sum .*push_request_count.* > 0$", promql["lag"])
    # 80 % of 7 and of 31 days, independent of pushes.
    assert 'subscription_id="events"}) > 483840' in promql["retention"]
    assert 'subscription_id="orders"}) > 2142720' in promql["retention"]
    assert "push_request_count" not in promql["retention"]


def test_dead_letters_alert_before_they_are_lost(plan: dict[str, Any], full_plan: dict[str, Any]) -> None:
    # 80 % of their 31 days, whether the viewer shows them or not.
    for any_plan, names in ((plan, ["builds-monitor"]), (full_plan, ["events", "orders"])):
        waiting = "|".join(f"{name}-dead-letter-monitor" for name in names)
        assert f'subscription_id=~"{waiting}"}}) > 2142720' in queries(any_plan)["retention"]
        kept = {
            entry["values"]["message_retention_duration"]
            for entry in resources(any_plan, "google_pubsub_subscription")
            if entry["name"] == "dead_letter"
        }
        assert kept == {f"{31 * 86_400}s"}


def test_alerts_cover_the_monitored_subscriptions_and_have_a_recipient(full_plan: dict[str, Any]) -> None:
    # The dead letters of events are monitored, so Start can push them as well.
    for name in ("dead_letters", "failing_pushes", "lag"):
        assert 'subscription_id=~"events|events-dead-letter-monitor|orders"' in queries(full_plan)[name]
    policies = list(resources(full_plan, "google_monitoring_alert_policy"))
    assert all(
        condition["disable_metric_validation"]
        for policy in policies
        for condition in policy["values"]["conditions"][0]["condition_prometheus_query_language"]
    )
    assert [entry["values"]["labels"] for entry in resources(full_plan, "google_monitoring_notification_channel")] == [
        {"email_address": "ops@example.com"}
    ]


# cloud.google.com/monitoring/api/metrics_gcp. PromQL writes them with underscores, and a distribution with _bucket.
METRICS = {
    "pubsub.googleapis.com/subscription/dead_letter_message_count",
    "pubsub.googleapis.com/subscription/num_undelivered_messages",
    "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
    "pubsub.googleapis.com/subscription/push_request_count",
    "run.googleapis.com/container/instance_count",
    "run.googleapis.com/container/max_request_concurrencies",
    "run.googleapis.com/request_latencies",
}


def test_metrics_and_labels_of_the_queries_exist(full_plan: dict[str, Any]) -> None:
    refused = values(full_plan, "google_logging_metric.refused_pushes")
    known = {*METRICS, f"logging.googleapis.com/user/{refused['name']}"}
    written = {re.sub(r"\W", "_", metric.partition("/")[0]) + ":" + metric.partition("/")[2] for metric in known}
    written = {re.sub(r"/", "_", metric) for metric in written}
    named = {
        metric.removesuffix("_bucket")
        for query in queries(full_plan).values()
        for metric in re.findall(r"\b\w+_googleapis_com:\w+", query)
    }
    assert named == written
    assert {MESSAGES, OLDEST} <= METRICS
    # The labels of our metric, and those of the two monitored resources.
    labels = {label["key"] for label in refused["metric_descriptor"][0]["labels"]}
    labels |= {"monitored_resource", "subscription_id", "response_class", "service_name", "le"}
    used = {label for query in queries(full_plan).values() for label in re.findall(r"[{,](\w+)(?:=|!=)", query)}
    grouped = {
        label.strip()
        for query in queries(full_plan).values()
        for labels_of_query in re.findall(r"(?:by|on) \(([^)]*)\)", query)
        for label in labels_of_query.split(",")
    }
    assert used | grouped <= labels


def test_refusals_metric_counts_the_log_lines_of_the_receiver(full_plan: dict[str, Any]) -> None:
    refused = values(full_plan, "google_logging_metric.refused_pushes")
    service = values(full_plan, "google_cloudfunctions2_function.receiver")["name"]
    assert f'service_name="{service}" AND jsonPayload.reason:*' in refused["filter"]
    assert refused["label_extractors"] == {"reason": "EXTRACT(jsonPayload.reason)"}


def test_dashboard_has_only_fields_of_the_api(full_plan: dict[str, Any]) -> None:
    board = json.loads(values(full_plan, "google_monitoring_dashboard.overview")["dashboard_json"])
    assert set(board) == {"displayName", "mosaicLayout"}
    for tile in board["mosaicLayout"]["tiles"]:
        assert tile.get("xPos", 0) + tile["width"] <= board["mosaicLayout"]["columns"]
        (data,) = tile["widget"]["xyChart"]["dataSets"]
        assert set(data) == {"plotType", "timeSeriesQuery"}
        assert set(data["timeSeriesQuery"]) == {"prometheusQuery", "unitOverride"}


def test_tiles_do_not_overlap(plan: dict[str, Any]) -> None:
    board = json.loads(values(plan, "google_monitoring_dashboard.overview")["dashboard_json"])
    corners = [(tile.get("xPos", 0), tile.get("yPos", 0)) for tile in board["mosaicLayout"]["tiles"]]
    assert len(set(corners)) == len(corners) == 8
