resource "google_monitoring_notification_channel" "email" {
  for_each = var.alerts.emails

  project      = var.project
  display_name = "Subscope: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
  user_labels  = local.labels

  lifecycle {
    # Google does not delete a channel that a policy names, so the policies are changed first.
    create_before_destroy = true
  }

  depends_on = [time_sleep.apis]
}

# Without a recipient the alerts are in the console only, and each of them costs the same.
check "alerts_have_a_recipient" {
  assert {
    condition     = length(var.alerts.emails) + length(var.alerts.channels) > 0
    error_message = "No alert reaches a person, because alerts.emails and alerts.channels are empty. Set one of them."
  }
}

locals {
  recipients = concat([for channel in google_monitoring_notification_channel.email : channel.id], sort(var.alerts.channels))

  # Dead-letter subscriptions lose messages after their retention, whether the viewer shows them or not.
  dead_letter_ids = [for one in google_pubsub_subscription.dead_letter : one.name]

  # In a PromQL string, one backslash of a regular expression is written twice.
  selectors = {
    for name, ids in {
      all          = concat(keys(var.subscriptions), local.dead_letter_ids)
      dead_letters = local.dead_letter_ids
      monitored    = local.monitored_ids
    } : name => "monitored_resource=\"pubsub_subscription\",subscription_id=~\"${join("|", [for id in sort(ids) : replace(id, "/[.+]/", "\\\\$0")])}\""
  }

  metric_age     = "pubsub_googleapis_com:subscription_oldest_unacked_message_age"
  metric_dead    = "pubsub_googleapis_com:subscription_dead_letter_message_count"
  metric_pushes  = "pubsub_googleapis_com:subscription_push_request_count"
  metric_refused = "logging_googleapis_com:user_${google_logging_metric.refused_pushes.name}"

  alerts = {
    dead_letters = {
      title    = "messages were given up"
      severity = "ERROR"
      seconds  = 0
      query    = "sum by (subscription_id) (increase(${local.metric_dead}{${local.selectors.monitored}}[10m])) > 0"
      text     = "Pub/Sub tried these messages max_delivery_attempts times and moved them to the dead-letter topic. They wait in the subscription `<subscription>-dead-letter-monitor` for 31 days. docs/operations.md, Redrive dead letters, explains how to look at them and how to send them again."
    }
    failing_pushes = {
      title    = "the receiver refuses or fails"
      severity = "ERROR"
      seconds  = 300
      query = join(" ", [
        "sum by (subscription_id) (rate(${local.metric_pushes}{${local.selectors.monitored},response_class!=\"ack\"}[10m]))",
        "/ sum by (subscription_id) (rate(${local.metric_pushes}{${local.selectors.monitored}}[10m]))",
        "> ${var.alerts.failing_push_share}",
      ])
      text = "More than ${var.alerts.failing_push_share * 100} % of the pushes were not acknowledged. remote_server_4xx: the token or the envelope is refused, see the collection `rejections` and the receiver's log; every refusal counts towards max_delivery_attempts. remote_server_5xx: Firestore or the key server does not answer."
    }
    # A stopped subscription receives no push, so its age is no fault.
    lag = {
      title    = "messages arrive late"
      severity = "WARNING"
      seconds  = 300
      query = join(" ", [
        "max by (subscription_id) (${local.metric_age}{${local.selectors.monitored}}) > ${var.alerts.lag_minutes * 60}",
        "and on (subscription_id)",
        "sum by (subscription_id) (increase(${local.metric_pushes}{${local.selectors.monitored}}[10m])) > 0",
      ])
      text = "Delivery runs, and the oldest message has waited for more than ${var.alerts.lag_minutes} minutes. After a long stop that is normal while the backlog drains; otherwise raise receiver.max_instances or message_shards."
    }
    # This applies to stopped subscriptions as well: Pub/Sub deletes messages older than the retention.
    retention = {
      title    = "waiting messages will soon be lost"
      severity = "CRITICAL"
      seconds  = 0
      query = join(" or ", concat(
        [for id, one in var.subscriptions :
          "max by (subscription_id) (${local.metric_age}{monitored_resource=\"pubsub_subscription\",subscription_id=\"${id}\"}) > ${floor(one.retention_days * 86400 * var.alerts.retention_share)}"
        ],
        ["max by (subscription_id) (${local.metric_age}{${local.selectors.dead_letters}}) > ${floor(31 * 86400 * var.alerts.retention_share)}"],
      ))
      text = "The oldest message has waited for ${var.alerts.retention_share * 100} % of the subscription's retention; when that is over Pub/Sub deletes it. Start delivery, or raise retention_days (at most 31) first. Dead letters (`<subscription>-dead-letter-monitor`) have 31 days at most: docs/operations.md, Redrive dead letters, explains how to send them again."
    }
  }
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = local.alerts

  project               = var.project
  display_name          = "Subscope (${var.name}): ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  user_labels           = local.labels
  notification_channels = local.recipients

  conditions {
    display_name = each.value.title
    condition_prometheus_query_language {
      query               = each.value.query
      duration            = "${each.value.seconds}s"
      evaluation_interval = "60s"
      # A new project does not have the metric yet, and Google would refuse the policy.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.apis]
}

resource "google_logging_metric" "refused_pushes" {
  project     = var.project
  name        = "${replace(var.name, "-", "_")}_refused_pushes"
  description = "Pushes that the receiver refused or failed, by reason"
  filter      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.receiver_name}\" AND jsonPayload.reason:*"

  label_extractors = {
    reason = "EXTRACT(jsonPayload.reason)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key         = "reason"
      value_type  = "STRING"
      description = "The reason of the refusal"
    }
  }

  depends_on = [time_sleep.apis]
}

resource "google_logging_project_exclusion" "stored_messages" {
  count = var.keep_request_logs ? 0 : 1

  project     = var.project
  name        = "${local.receiver_name}-stored"
  description = "The request log of stored messages: it contains nothing that the message does not"
  filter      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.receiver_name}\" AND log_id(\"run.googleapis.com/requests\") AND httpRequest.status=204"

  depends_on = [time_sleep.apis]
}

resource "google_monitoring_dashboard" "overview" {
  project = var.project
  dashboard_json = templatefile("${path.module}/dashboard.json.tftpl", {
    title     = "Subscope (${var.name})"
    age       = local.metric_age
    dead      = local.metric_dead
    all       = replace(local.selectors.all, "\"", "'")
    monitored = replace(local.selectors.monitored, "\"", "'")
    pushes    = local.metric_pushes
    receiver  = local.receiver_name
    refused   = local.metric_refused
    viewer    = local.viewer_name
  })

  depends_on = [time_sleep.apis]
}

resource "google_billing_budget" "monthly" {
  count    = var.budget != null ? 1 : 0
  provider = google.billing

  billing_account = var.budget.billing_account
  display_name    = "Subscope (${var.name})"

  budget_filter {
    projects = ["projects/${local.number}"]
  }

  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(var.budget.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  dynamic "all_updates_rule" {
    for_each = length(local.recipients) > 0 ? [1] : []
    content {
      # No more than five: cloud.google.com/billing/docs/reference/budget/rest/v1/billingAccounts.budgets#NotificationsRule.
      monitoring_notification_channels = slice(local.recipients, 0, min(5, length(local.recipients)))
    }
  }

  depends_on = [time_sleep.apis]
}
