locals {
  # An allow-list: no other file leaves the repository. infra/local is the local cloud; the commands need packages that
  # requirements.txt does not have.
  receiver_files = sort([
    for file in setunion(
      fileset(local.root, "main.py"),
      fileset(local.root, "requirements.txt"),
      fileset(local.root, "functions/**/*.py"),
      fileset(local.root, "infra/**/*.py"),
    ) : file if !can(regex("^infra/(local/|cli/|web_server/|__main__\\.py$)", file))
  ])

  # infra/settings/__init__.py, RECEIVER.
  receiver_environment = merge(local.fixed_environment, {
    OIDC_CERTS_URL  = "https://www.googleapis.com/oauth2/v1/certs"
    SIGNATURE_CHECK = local.iam_invokes_receiver ? "platform" : "receiver"
    SETTINGS_FILE   = "${local.settings_in}/${local.settings_path}"
  })
}

data "archive_file" "receiver" {
  type             = "zip"
  output_path      = "${path.root}/.terraform/${local.receiver_name}.zip"
  output_file_mode = "0644"

  dynamic "source" {
    for_each = local.receiver_files
    content {
      filename = source.value
      content  = file("${local.root}/${source.value}")
    }
  }
}

# The name contains the content's hash, so that changed code is deployed.
resource "google_storage_bucket_object" "receiver" {
  bucket = google_storage_bucket.source.name
  name   = "receiver/${data.archive_file.receiver.output_md5}.zip"
  source = data.archive_file.receiver.output_path

  lifecycle {
    # The path belongs to the machine that applies; the same content in another place is no new archive.
    ignore_changes = [source]
    # A replaced bucket has lost its objects, and its name is the same.
    replace_triggered_by = [google_storage_bucket.source.id]
  }
}

resource "google_cloudfunctions2_function" "receiver" {
  project     = var.project
  name        = local.receiver_name
  location    = var.region
  description = "Subscope's receiver: verifies Pub/Sub's pushes and stores the messages"
  labels      = local.labels

  kms_key_name = var.kms_key

  build_config {
    # The Python version that the tests use.
    runtime           = "python311"
    entry_point       = "receive"
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = local.accounts.build.id
    worker_pool       = var.build.worker_pool

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.receiver.name
      }
    }
  }

  service_config {
    service_account_email = local.accounts.receiver.email
    # Admits pushes of this project's subscriptions, and no caller from outside.
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true
    available_cpu                    = var.receiver.cpu
    available_memory                 = var.receiver.memory
    max_instance_count               = var.receiver.max_instances
    max_instance_request_concurrency = var.receiver.concurrency
    min_instance_count               = var.receiver.min_instances
    # The receiver answers within 20 seconds, and no acknowledgement deadline is shorter than 30.
    timeout_seconds = 30
    # Cloud Run refuses an egress without a network.
    direct_vpc_egress     = var.vpc_access == null ? null : local.vpc_egress.receiver
    environment_variables = local.receiver_environment

    # The newest version, read again every minute.
    secret_volumes {
      mount_path = local.settings_in
      project_id = var.project
      secret     = google_secret_manager_secret.secret["receiver-settings"].secret_id

      versions {
        path    = local.settings_path
        version = "latest"
      }
    }

    dynamic "direct_vpc_network_interface" {
      for_each = local.vpc_access
      content {
        network    = direct_vpc_network_interface.value.network
        subnetwork = direct_vpc_network_interface.value.subnetwork
        tags       = direct_vpc_network_interface.value.tags
      }
    }
  }

  depends_on = [
    google_firestore_database.this,
    google_secret_manager_secret_version.receiver_settings,
    time_sleep.grants,
  ]
}
