"""Alerts and the dashboard: PromQL that parses, about metrics and labels that there are."""

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


def assert_promql(found: dict[str, str], programs: Path) -> None:
    """Hold that each query parses; fail with what the parser said."""
    command = [str(programs / "python"), "-c", PARSE]
    parsed = subprocess.run(command, input=json.dumps(found), capture_output=True, text=True, timeout=60)
    assert parsed.returncode == 0, parsed.stderr[-600:]


def test_queries_are_promql(full_plan: dict[str, Any], programs: Path) -> None:
    found = queries(full_plan)
    assert_promql(found, programs)
    assert len(found) == ALERTS + 8


def test_odd_ids_are_meant_literally(terraform: Terraform, programs: Path) -> None:
    plan = terraform.plan("odd", f'project = "{PROJECT}"\nsubscriptions = {{ "a+b.c~d" = {{ topic = "odd" }} }}')
    found = queries(plan)
    assert_promql(found, programs)
    # Two backslashes in PromQL's string are one in its regular expression.
    assert r'subscription_id=~"a\\+b\\.c~d"' in found["lag"]
    assert r"subscription_id=~'a\\+b\\.c~d'" in found["Pushes per second, by answer"]


def test_a_stopped_subscription_is_not_late_until_it_loses_messages(full_plan: dict[str, Any]) -> None:
    found = queries(full_plan)
    assert re.search(r"> 900 and on \(subscription_id\) sum .*push_request_count.* > 0$", found["lag"])
    # 80 % of 7 and of 31 days, whether or not anything is pushed.
    assert 'subscription_id="events"}) > 483840' in found["retention"]
    assert 'subscription_id="orders"}) > 2142720' in found["retention"]
    assert "push_request_count" not in found["retention"]


def test_dead_letters_are_told_of_before_they_are_lost(plan: dict[str, Any], full_plan: dict[str, Any]) -> None:
    # 80 % of the 31 days that they are kept, watched in the viewer or not.
    for some, names in ((plan, ["builds-monitor"]), (full_plan, ["events", "orders"])):
        waiting = "|".join(f"{name}-dead-letter-monitor" for name in names)
        assert f'subscription_id=~"{waiting}"}}) > 2142720' in queries(some)["retention"]
        kept = {
            one["values"]["message_retention_duration"]
            for one in resources(some, "google_pubsub_subscription")
            if one["name"] == "dead_letter"
        }
        assert kept == {f"{31 * 86_400}s"}


def test_alerts_are_about_these_subscriptions_and_tell_somebody(full_plan: dict[str, Any]) -> None:
    # events has its dead letters monitored: Start may push them, too.
    for name in ("dead_letters", "failing_pushes", "lag"):
        assert 'subscription_id=~"events|events-dead-letter-monitor|orders"' in queries(full_plan)[name]
    policies = list(resources(full_plan, "google_monitoring_alert_policy"))
    assert all(
        one["values"]["conditions"][0]["condition_prometheus_query_language"][0]["disable_metric_validation"]
        for one in policies
    )
    assert [one["values"]["labels"] for one in resources(full_plan, "google_monitoring_notification_channel")] == [
        {"email_address": "ops@example.com"}
    ]


# cloud.google.com/monitoring/api/metrics_gcp, as PromQL writes them; a distribution has buckets.
METRICS = {
    "pubsub.googleapis.com/subscription/dead_letter_message_count",
    "pubsub.googleapis.com/subscription/num_undelivered_messages",
    "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
    "pubsub.googleapis.com/subscription/push_request_count",
    "run.googleapis.com/container/instance_count",
    "run.googleapis.com/container/max_request_concurrencies",
    "run.googleapis.com/request_latencies",
}


def test_queries_name_metrics_and_labels_that_there_are(full_plan: dict[str, Any]) -> None:
    refused = values(full_plan, "google_logging_metric.refused_pushes")
    known = {*METRICS, f"logging.googleapis.com/user/{refused['name']}"}
    written = {re.sub(r"\W", "_", one.partition("/")[0]) + ":" + one.partition("/")[2] for one in known}
    written = {re.sub(r"/", "_", one) for one in written}
    named = {
        one.removesuffix("_bucket")
        for query in queries(full_plan).values()
        for one in re.findall(r"\b\w+_googleapis_com:\w+", query)
    }
    assert named == written
    assert {MESSAGES, OLDEST} <= METRICS
    # Ours, and those of the two monitored resources.
    labels = {one["key"] for one in refused["metric_descriptor"][0]["labels"]}
    labels |= {"monitored_resource", "subscription_id", "response_class", "service_name", "le"}
    used = {one for query in queries(full_plan).values() for one in re.findall(r"[{,](\w+)(?:=|!=)", query)}
    grouped = {
        one.strip()
        for query in queries(full_plan).values()
        for some in re.findall(r"(?:by|on) \(([^)]*)\)", query)
        for one in some.split(",")
    }
    assert used | grouped <= labels


def test_the_refusals_are_those_that_the_receiver_logs(full_plan: dict[str, Any]) -> None:
    refused = values(full_plan, "google_logging_metric.refused_pushes")
    service = values(full_plan, "google_cloudfunctions2_function.receiver")["name"]
    assert f'service_name="{service}" AND jsonPayload.reason:*' in refused["filter"]
    assert refused["label_extractors"] == {"reason": "EXTRACT(jsonPayload.reason)"}


def test_the_dashboard_is_what_the_api_takes(full_plan: dict[str, Any]) -> None:
    board = json.loads(values(full_plan, "google_monitoring_dashboard.overview")["dashboard_json"])
    assert set(board) == {"displayName", "mosaicLayout"}
    for tile in board["mosaicLayout"]["tiles"]:
        assert tile["xPos"] + tile["width"] <= board["mosaicLayout"]["columns"]
        (data,) = tile["widget"]["xyChart"]["dataSets"]
        assert set(data) == {"plotType", "timeSeriesQuery"}
        assert set(data["timeSeriesQuery"]) == {"prometheusQuery", "unitOverride"}


def test_tiles_do_not_overlap(plan: dict[str, Any]) -> None:
    board = json.loads(values(plan, "google_monitoring_dashboard.overview")["dashboard_json"])
    corners = [(tile["xPos"], tile["yPos"]) for tile in board["mosaicLayout"]["tiles"]]
    assert len(set(corners)) == len(corners) == 8
