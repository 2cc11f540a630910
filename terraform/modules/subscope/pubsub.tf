locals {
  # A short id is a topic created here; a full name is an existing topic.
  created_topics = toset([for one in var.subscriptions : one.topic if !startswith(one.topic, "projects/")])
  topics = {
    for name in distinct([for one in var.subscriptions : one.topic]) :
    name => startswith(name, "projects/") ? name : google_pubsub_topic.monitored[name].id
  }
}

resource "google_pubsub_topic" "monitored" {
  for_each = local.created_topics

  project = var.project
  name    = each.value
  labels  = local.labels

  kms_key_name = var.kms_key

  depends_on = [
    time_sleep.apis,
    time_sleep.key,
  ]
}

resource "google_pubsub_topic" "dead_letter" {
  for_each = var.subscriptions

  project = var.project
  name    = "${each.key}-dead-letter"
  labels  = local.labels

  kms_key_name = var.kms_key

  depends_on = [
    time_sleep.apis,
    time_sleep.key,
  ]
}

# Pub/Sub drops messages that are published to a topic without a subscription.
resource "google_pubsub_subscription" "dead_letter" {
  for_each = var.subscriptions

  project                    = var.project
  name                       = "${each.key}-dead-letter-monitor"
  topic                      = google_pubsub_topic.dead_letter[each.key].id
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s"
  labels                     = local.labels

  expiration_policy {
    ttl = ""
  }

  lifecycle {
    # Start and Stop set it where dead letters are monitored.
    ignore_changes = [push_config]
  }
}

resource "google_pubsub_subscription" "monitored" {
  for_each = var.subscriptions

  project                    = var.project
  name                       = each.key
  topic                      = local.topics[each.value.topic]
  ack_deadline_seconds       = each.value.ack_deadline_seconds
  message_retention_duration = "${each.value.retention_days * 86400}s"
  enable_message_ordering    = each.value.ordering
  filter                     = each.value.filter
  labels                     = local.labels

  # By default Pub/Sub deletes a subscription after 31 days without deliveries, and a stopped one has none.
  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "${each.value.retry_minimum_seconds}s"
    maximum_backoff = "${each.value.retry_maximum_seconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letter[each.key].id
    max_delivery_attempts = each.value.max_delivery_attempts
  }

  dynamic "push_config" {
    for_each = each.value.start_running ? [1] : []
    content {
      push_endpoint = local.receiver_url
      oidc_token {
        service_account_email = local.accounts.push.email
        audience              = local.push_audiences[0]
      }
    }
  }

  lifecycle {
    # Start and Stop set it. The block above applies only when a subscription is created.
    ignore_changes = [push_config]
  }

  # A subscription that starts running pushes at once, so the receiver must accept its pushes before that.
  depends_on = [time_sleep.pushes]
}

# Without these two grants, Pub/Sub silently keeps dead letters in the subscription.
resource "google_pubsub_topic_iam_member" "pubsub_forwards_dead_letters" {
  for_each = var.subscriptions

  project = var.project
  topic   = google_pubsub_topic.dead_letter[each.key].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent

  lifecycle {
    replace_triggered_by = [google_pubsub_topic.dead_letter[each.key].id]
  }
}

resource "google_pubsub_subscription_iam_member" "pubsub_acknowledges_dead_letters" {
  for_each = var.subscriptions

  project      = var.project
  subscription = google_pubsub_subscription.monitored[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent

  lifecycle {
    # A replaced subscription has lost its grants.
    replace_triggered_by = [google_pubsub_subscription.monitored[each.key].id]
  }
}

# Changing the push endpoint needs update; Pub/Sub has no narrower permission.
resource "google_project_iam_custom_role" "delivery" {
  count = var.roles.delivery == null ? 1 : 0

  project     = var.project
  role_id     = "${replace(var.name, "-", "_")}_delivery"
  title       = "Subscope: start and stop delivery"
  permissions = ["pubsub.subscriptions.get", "pubsub.subscriptions.update"]

  depends_on = [time_sleep.apis]
}

resource "google_pubsub_subscription_iam_member" "viewer_switches_delivery" {
  for_each = var.subscriptions

  project      = var.project
  subscription = google_pubsub_subscription.monitored[each.key].name
  role         = local.roles.delivery
  member       = local.accounts.viewer.member

  lifecycle {
    replace_triggered_by = [google_pubsub_subscription.monitored[each.key].id]
  }
}

resource "google_pubsub_subscription_iam_member" "viewer_switches_dead_letters" {
  for_each = { for id, one in var.subscriptions : id => one if one.monitor_dead_letters }

  project      = var.project
  subscription = google_pubsub_subscription.dead_letter[each.key].name
  role         = local.roles.delivery
  member       = local.accounts.viewer.member

  lifecycle {
    replace_triggered_by = [google_pubsub_subscription.dead_letter[each.key].id]
  }
}

resource "google_pubsub_topic_iam_member" "viewer_publishes" {
  for_each = var.publish_topics

  project = startswith(each.value, "projects/") ? split("/", each.value)[1] : var.project
  topic   = startswith(each.value, "projects/") ? split("/", each.value)[3] : google_pubsub_topic.monitored[each.value].name
  role    = "roles/pubsub.publisher"
  member  = local.accounts.viewer.member
}
