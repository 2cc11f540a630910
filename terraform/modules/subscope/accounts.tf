# The service accounts. Each grant stands beside the resource that it is for, and is additive: other grants survive.

resource "google_service_account" "push" {
  project      = var.project
  account_id   = "${var.name}-push"
  display_name = "Subscope: the account in Pub/Sub's push tokens"

  depends_on = [time_sleep.apis]
}

resource "google_service_account" "receiver" {
  project      = var.project
  account_id   = "${var.name}-receiver"
  display_name = "Subscope: the receiver"

  depends_on = [time_sleep.apis]
}

resource "google_service_account" "viewer" {
  project      = var.project
  account_id   = "${var.name}-viewer"
  display_name = "Subscope: the viewer"

  depends_on = [time_sleep.apis]
}

resource "google_service_account" "build" {
  project      = var.project
  account_id   = "${var.name}-build"
  display_name = "Subscope: builds the function and the viewer's image"

  depends_on = [time_sleep.apis]
}

# A grant takes effect about a minute after it was written. A build or a revision that starts before fails, and a failed
# function is built from the start in the next apply. This waits when a role or a member changes, and never otherwise.
resource "time_sleep" "grants" {
  create_duration = "60s"
  triggers = {
    build_logs           = "${google_project_iam_member.build_logs.role} ${google_project_iam_member.build_logs.member}"
    build_pushes         = "${google_artifact_registry_repository_iam_member.build_pushes.role} ${google_artifact_registry_repository_iam_member.build_pushes.member}"
    build_reads_source   = "${google_project_iam_member.build_reads_source.role} ${google_project_iam_member.build_reads_source.member}"
    receiver_stores      = "${google_project_iam_member.receiver_stores.role} ${google_project_iam_member.receiver_stores.member}"
    viewer_reads         = "${google_project_iam_member.viewer_reads.role} ${google_project_iam_member.viewer_reads.member}"
    viewer_reads_secrets = join(" ", [for one in google_secret_manager_secret_iam_member.viewer_reads : "${one.role} ${one.secret_id} ${one.member}"])
  }
}

# Projects created before April 2021 need this grant for push tokens. It covers this account only, not the project.
resource "google_service_account_iam_member" "pubsub_mints_push_tokens" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent

  lifecycle {
    # A replaced account has lost its grants, and its name is the same.
    replace_triggered_by = [google_service_account.push.id]
  }

  # Google creates the agent when Pub/Sub is first used.
  depends_on = [google_pubsub_topic.dead_letter]
}

# Setting a push endpoint with a token requires the right to act as the token's account; clearing it does not.
resource "google_service_account_iam_member" "viewer_starts_delivery" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.viewer.member

  lifecycle {
    replace_triggered_by = [google_service_account.push.id]
  }
}
