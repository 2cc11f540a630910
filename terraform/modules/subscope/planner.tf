# The account that pull requests run as. It reads configuration, but no message, secret or log. It writes only the lock of
# the state, and the state contains no secret.

resource "google_service_account" "planner" {
  for_each = { for key, one in local.deploy : key => one if var.service_accounts.planner == null }

  project      = var.project
  account_id   = "${var.name}-planner"
  display_name = "Subscope: plans pull requests"

  depends_on = [time_sleep.apis]
}

# The permissions that a refresh needs, by API. The role Viewer would suffice, but could also read every message.
resource "google_project_iam_custom_role" "planner" {
  for_each = { for key, one in local.deploy : key => one if var.roles.planner == null }

  project = var.project
  role_id = "${replace(var.name, "-", "_")}_planner"
  title   = "Subscope: plan"
  permissions = concat(
    var.viewer.access == "iap" ? ["iap.webServices.getIamPolicy"] : [],
    # A key of another project: docs/deployment.md, A key that you manage.
    length(google_kms_crypto_key_iam_member.agents) > 0 ? ["cloudkms.cryptoKeys.getIamPolicy"] : [],
    length(google_firestore_backup_schedule.this) > 0 ? ["datastore.backupSchedules.get"] : [],
    [
      "artifactregistry.dockerimages.list",
      "artifactregistry.repositories.get",
      "artifactregistry.repositories.getIamPolicy",
      "cloudbuild.builds.get",
      "cloudfunctions.functions.get",
      "datastore.databases.getMetadata",
      "datastore.indexes.get",
      "iam.roles.get",
      "iam.serviceAccounts.get",
      "iam.serviceAccounts.getIamPolicy",
      "logging.exclusions.get",
      "logging.logMetrics.get",
      "monitoring.alertPolicies.get",
      "monitoring.dashboards.get",
      "monitoring.notificationChannels.get",
      "pubsub.subscriptions.get",
      "pubsub.subscriptions.getIamPolicy",
      "pubsub.topics.get",
      "pubsub.topics.getIamPolicy",
      "resourcemanager.projects.get",
      "resourcemanager.projects.getIamPolicy",
      "run.services.get",
      "run.services.getIamPolicy",
      "secretmanager.secrets.get",
      "secretmanager.secrets.getIamPolicy",
      "secretmanager.versions.get",
      "serviceusage.services.get",
      "serviceusage.services.list",
      # Calls count against this project (user_project_override), which requires the right to use it.
      "serviceusage.services.use",
      "storage.buckets.get",
      "storage.buckets.getIamPolicy",
    ],
  )

  depends_on = [time_sleep.apis]
}

resource "google_project_iam_member" "planner_reads" {
  for_each = local.deploy

  project = var.project
  role    = local.roles.planner
  member  = local.accounts.planner.member
}

resource "google_project_iam_member" "planner_logs" {
  for_each = local.deploy

  project = var.project
  role    = "roles/logging.logWriter"
  member  = local.accounts.planner.member
}

# The deployed archive, and sources submitted for a plan by hand; not sources staged for other builds.
resource "google_storage_bucket_iam_member" "planner_reads_source" {
  for_each = local.deploy

  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = local.accounts.planner.member

  condition {
    title       = "Only what is planned"
    description = "Of the bucket of source code"
    expression = join(" || ", [
      "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.source.name}/objects/receiver/\")",
      "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.source.name}/objects/plans/\")",
    ])
  }

  lifecycle {
    replace_triggered_by = [google_storage_bucket.source.id]
  }
}

# The image of the tests, which the last apply pushed.
resource "google_artifact_registry_repository_iam_member" "planner_pulls" {
  for_each = local.deploy

  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.reader"
  member     = local.accounts.planner.member

  lifecycle {
    replace_triggered_by = [google_artifact_registry_repository.images.id]
  }
}

resource "google_storage_bucket_iam_member" "planner_reads_state" {
  for_each = local.deploy

  bucket = each.value.state_bucket
  role   = "roles/storage.objectViewer"
  member = local.accounts.planner.member
}

resource "google_storage_bucket_iam_member" "planner_locks_state" {
  for_each = local.deploy

  bucket = each.value.state_bucket
  role   = "roles/storage.objectUser"
  member = local.accounts.planner.member

  condition {
    title       = "Only the lock"
    description = "Of backend.tf.example's prefix"
    expression  = "resource.name == \"projects/_/buckets/${each.value.state_bucket}/objects/subscope/default.tflock\""
  }
}

resource "google_cloudbuild_trigger" "plan" {
  for_each = { for key, one in local.deploy : key => one if one.repository != null }

  project     = var.project
  location    = var.region
  name        = "${var.name}-plan"
  description = "Tests and plans a pull request"
  filename    = local.build_file
  # The trigger's account wins over the cloudbuild.yaml of the pull request.
  service_account = local.accounts.planner.id

  repository_event_config {
    repository = each.value.repository
    pull_request {
      branch          = each.value.branch
      comment_control = "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"
    }
  }

  substitutions = merge(local.build_substitutions, { _ACCOUNT = split("@", local.accounts.planner.email)[0], _ACTION = "plan" })
}
