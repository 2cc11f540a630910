locals {
  # infra/settings/__init__.py, VIEWER, less the two that Secret Manager holds.
  viewer_environment = merge(local.common_environment, {
    AUTH_MODE         = var.viewer.access == "iap" ? "iap" : "password"
    ENVIRONMENT_LABEL = var.environment_label
    IAP_AUDIENCE      = var.viewer.access == "iap" ? "/projects/${local.number}/locations/${var.region}/services/${local.viewer_name}" : ""
    LINKS             = join("\n", [for name, address in var.links : "${name} = ${address}"])
    # gcloud run services proxy prints the second address, and many users type the first.
    LOCAL_ADDRESSES  = var.viewer.access == "private" ? "http://localhost:8080,http://127.0.0.1:8080" : ""
    MASKED_FIELDS    = join(",", sort(var.masked_fields))
    MAX_STREAMS      = tostring(var.viewer.max_streams)
    PUSH_ENDPOINT    = local.receiver_url
    PUBLIC_ADDRESSES = join(",", var.viewer.addresses)
    TRUSTED_PROXIES  = tostring(local.trusted_proxies)
  })
  # Google's front end appends the client's address to X-Forwarded-For; a load balancer appends the client's and its own.
  trusted_proxies = coalesce(var.viewer.trusted_proxies, var.viewer.ingress == "load_balancer" ? 2 : 1)
  viewer_secrets = {
    ADMIN_PASSWORD = { id = "admin-password", version = google_secret_manager_secret_version.admin_password.version }
    SECRET_KEY     = { id = "session-key", version = google_secret_manager_secret_version.session_key.version }
  }
}

resource "google_cloud_run_v2_service" "viewer" {
  project     = var.project
  name        = local.viewer_name
  location    = var.region
  description = "Subscope's viewer"
  labels      = local.labels
  # It stores nothing, so it can be replaced at any time.
  deletion_protection = false

  # By default reachable from everywhere; the next two arguments and the sign-in page control access.
  ingress = {
    all           = "INGRESS_TRAFFIC_ALL"
    internal      = "INGRESS_TRAFFIC_INTERNAL_ONLY"
    load_balancer = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  }[var.viewer.ingress]
  # With the run.app address, a client inside the network would pass by the load balancer and could choose the address
  # that sign-in limits count for it.
  default_uri_disabled = var.viewer.ingress == "load_balancer"
  # Instead of a grant to allUsers, which many organisations forbid. The application asks for a password.
  invoker_iam_disabled = var.viewer.access == "public"
  iap_enabled          = var.viewer.access == "iap"

  template {
    service_account = local.accounts.viewer.email
    # A stream is one request, and this is Cloud Run's maximum. The page reconnects with Last-Event-ID.
    timeout                          = "3600s"
    max_instance_request_concurrency = var.viewer.max_streams + 40
    # One reader's streams and pages should come from one instance, which has the messages in memory.
    session_affinity = true
    encryption_key   = var.kms_key

    scaling {
      max_instance_count = var.viewer.max_instances
      min_instance_count = var.viewer.min_instances
    }

    dynamic "vpc_access" {
      for_each = local.vpc_access
      content {
        egress = local.vpc_egress.viewer
        network_interfaces {
          network    = vpc_access.value.network
          subnetwork = vpc_access.value.subnetwork
          tags       = vpc_access.value.tags
        }
      }
    }

    containers {
      image = local.viewer_image

      resources {
        limits = {
          cpu    = var.viewer.cpu
          memory = var.viewer.memory
        }
        # The feed runs only while a stream is open, and a stream is a request.
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = local.viewer_environment
        content {
          name  = env.key
          value = env.value
        }
      }

      # A numbered version: a new revision gets the new secret, and an old revision keeps the old one.
      dynamic "env" {
        for_each = local.viewer_secrets
        content {
          name = env.key
          value_source {
            secret_key_ref {
              # The short id, Cloud Run's form for a secret of the same project.
              secret  = google_secret_manager_secret.secret[env.value.id].secret_id
              version = env.value.version
            }
          }
        }
      }

      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 30
        http_get {
          path = "/healthz"
        }
      }

      # /healthz reports the process only. /ready also reports Firestore, where a restart would not help.
      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3
        http_get {
          path = "/healthz"
        }
      }
    }
  }

  lifecycle {
    # The console and gcloud write their names into these.
    ignore_changes = [client, client_version, scaling]
  }

  depends_on = [
    google_firestore_database.this,
    terraform_data.viewer_image,
    time_sleep.grants,
  ]
}

# The backlog of a subscription is a metric of Cloud Monitoring. There is no narrower scope than the project.
resource "google_project_iam_custom_role" "backlog" {
  count = var.roles.backlog == null ? 1 : 0

  project     = var.project
  role_id     = "${replace(var.name, "-", "_")}_backlog"
  title       = "Subscope: read the backlog"
  permissions = ["monitoring.timeSeries.list"]

  depends_on = [time_sleep.apis]
}

resource "google_project_iam_member" "viewer_sees_backlog" {
  project = var.project
  role    = local.roles.backlog
  member  = local.accounts.viewer.member
}

resource "google_cloud_run_v2_service_iam_member" "members_invoke_viewer" {
  for_each = var.viewer.access == "private" ? var.viewer.members : []

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.viewer.name
  role     = "roles/run.invoker"
  member   = each.value

  lifecycle {
    # A replaced resource has lost its grants, and its name is the same.
    replace_triggered_by = [google_cloud_run_v2_service.viewer.id]
  }
}

# Google makes this account only on request, and refuses grants to it before.
resource "google_project_service_identity" "iap" {
  count    = var.viewer.access == "iap" ? 1 : 0
  provider = google-beta

  project = var.project
  service = "iap.googleapis.com"

  depends_on = [time_sleep.apis]
}

resource "google_cloud_run_v2_service_iam_member" "iap_invokes_viewer" {
  count = var.viewer.access == "iap" ? 1 : 0

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.viewer.name
  role     = "roles/run.invoker"
  # Not read from the account's resource: it would be unknown, and replace the grant, when that is new.
  member = "serviceAccount:service-${local.number}@gcp-sa-iap.iam.gserviceaccount.com"

  lifecycle {
    replace_triggered_by = [google_cloud_run_v2_service.viewer.id]
  }

  depends_on = [google_project_service_identity.iap]
}

resource "google_iap_web_cloud_run_service_iam_member" "members_pass_iap" {
  for_each = var.viewer.access == "iap" ? var.viewer.members : []

  project                = var.project
  location               = var.region
  cloud_run_service_name = google_cloud_run_v2_service.viewer.name
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.value

  lifecycle {
    replace_triggered_by = [google_cloud_run_v2_service.viewer.id]
  }
}
