data "google_project" "this" {
  project_id = var.project
}

locals {
  number = data.google_project.this.number
  # The repository: the receiver and the viewer's image are made from its files.
  root   = "${path.module}/../../.."
  labels = merge({ app = var.name }, var.labels)

  # Cloud Run serves every service at this second address as well. It is known before the service exists.
  host_suffix   = "${local.number}.${var.region}.run.app"
  receiver_name = "${var.name}-receiver"
  receiver_url  = "https://${local.receiver_name}-${local.host_suffix}"
  viewer_name   = "${var.name}-viewer"
  # The viewer's address in a browser: its own domain, if it has one.
  viewer_url = try(var.viewer.addresses[0], "https://${local.viewer_name}-${local.host_suffix}")

  # Cloud Run's check accepts tokens for the service's own address alone. Without the check the audience is a name instead:
  # Cloud Run would remove the signature from tokens for its address, and the receiver verifies the signature.
  # cloud.google.com/run/docs/configuring/custom-audiences, cloud.google.com/run/docs/troubleshooting#signature-removed
  push_audiences = length(var.push_audiences) > 0 ? var.push_audiences : [
    local.iam_invokes_receiver ? local.receiver_url : "${local.receiver_name}.${var.project}"
  ]

  # The subscriptions shown in the viewer, including dead letters where monitor_dead_letters is set.
  monitored_ids = sort(concat(
    keys(var.subscriptions),
    [for id, one in var.subscriptions : "${id}-dead-letter-monitor" if one.monitor_dead_letters],
  ))

  # The smallest and largest memory for a number of CPUs (cloud.google.com/run/docs/configuring/services/cpu). An instance
  # with less than one CPU serves one request at a time.
  memory_mib = {
    "1" = [128, 4096]
    "2" = [128, 8192]
    "4" = [2048, 16384]
    "6" = [4096, 24576]
    "8" = [4096, 32768]
  }

  # Both services send their requests through this network; without it, straight to Google.
  vpc_access = var.vpc_access != null ? [var.vpc_access] : []
  vpc_egress = {
    all            = { receiver = "VPC_EGRESS_ALL_TRAFFIC", viewer = "ALL_TRAFFIC" }
    private_ranges = { receiver = "VPC_EGRESS_PRIVATE_RANGES_ONLY", viewer = "PRIVATE_RANGES_ONLY" }
  }[try(var.vpc_access.egress, "private_ranges")]

  pubsub_agent = "serviceAccount:service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  # What both services read: infra/settings/__init__.py, COMMON.
  common_environment = merge(local.fixed_environment, local.changing_settings)

  fixed_environment = {
    FIRESTORE_DATABASE   = local.database
    GOOGLE_CLOUD_PROJECT = var.project
    PUSH_AUDIENCE        = join(",", local.push_audiences)
    PUSH_SERVICE_ACCOUNT = local.accounts.push.email
  }
  # infra/settings/settings_file.py, CHANGEABLE.
  changing_settings = {
    LOG_LEVEL      = var.log_level
    MESSAGE_SHARDS = tostring(var.message_shards)
    RETENTION_DAYS = tostring(var.retention_days)
    SUBSCRIPTIONS  = join(",", local.monitored_ids)
  }
}

locals {
  apis = toset(concat(
    [
      "artifactregistry.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      # Cloud Build records the provenance of images there.
      "containeranalysis.googleapis.com",
      "firestore.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    length(local.kms_agents) > 0 && var.kms_key_grants ? ["cloudkms.googleapis.com"] : [],
    var.viewer.access == "iap" ? ["iap.googleapis.com"] : [],
    var.budget != null ? ["billingbudgets.googleapis.com"] : [],
  ))
}

resource "google_project_service" "apis" {
  for_each = var.enable_apis ? local.apis : []

  project = var.project
  service = each.value
  # Other parts of the project can use the API as well.
  disable_on_destroy = false
}

# An API is known everywhere a minute after it was enabled. This waits when the list changes, and never otherwise.
resource "time_sleep" "apis" {
  create_duration = "60s"
  triggers        = { apis = join(" ", sort(local.apis)) }

  depends_on = [google_project_service.apis]
}
