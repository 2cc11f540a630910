# Who runs what. Grants stand beside the resource they are for, always additive: grants of others survive.

resource "google_service_account" "push" {
  project      = var.project
  account_id   = "${var.name}-push"
  display_name = "Subscope: whom Pub/Sub's push tokens name"

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "receiver" {
  project      = var.project
  account_id   = "${var.name}-receiver"
  display_name = "Subscope: the receiver"

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "viewer" {
  project      = var.project
  account_id   = "${var.name}-viewer"
  display_name = "Subscope: the viewer"

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "build" {
  project      = var.project
  account_id   = "${var.name}-build"
  display_name = "Subscope: builds the function and the viewer's image"

  depends_on = [google_project_service.apis]
}

# Projects from before April 2021 need this for push tokens; on the one account, not on the project.
resource "google_service_account_iam_member" "pubsub_mints_push_tokens" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent

  # The agent is made when Pub/Sub is first used.
  depends_on = [google_pubsub_topic.dead_letter]
}

# Setting a push endpoint with a token takes the right to act as the token's account; clearing it does not.
resource "google_service_account_iam_member" "viewer_starts_delivery" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.viewer.member
}
