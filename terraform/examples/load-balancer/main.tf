# The viewer under your own host name: an external load balancer, and Identity-Aware Proxy on the service behind it. Only
# the load balancer reaches the service; its run.app address is off.

terraform {
  required_version = ">= 1.11.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.33.0, < 9.0.0"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = ">= 7.33.0, < 9.0.0"
    }
  }
}

variable "project" {
  description = "The project id."
  type        = string
}

variable "host" {
  description = "The viewer's host name. Let its DNS record of type A name the output address."
  type        = string
  default     = "subscope.example.com"
}

variable "operators" {
  description = "The members who pass Identity-Aware Proxy."
  type        = set(string)
  default     = ["group:operators@example.com"]
}

provider "google" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true
}

provider "google-beta" {
  project               = var.project
  billing_project       = var.project
  user_project_override = true
}

locals {
  name   = "subscope"
  region = "europe-west1"
}

module "subscope" {
  source = "../../modules/subscope"

  providers = {
    google         = google
    google-beta    = google-beta
    google.billing = google
  }

  project = var.project
  name    = local.name
  region  = local.region
  viewer = {
    access    = "iap"
    addresses = ["https://${var.host}"]
    ingress   = "load_balancer"
    members   = var.operators
  }
}

resource "google_project_service" "compute" {
  project            = var.project
  service            = "compute.googleapis.com"
  disable_on_destroy = false
}

resource "google_compute_global_address" "viewer" {
  project = var.project
  name    = "${local.name}-viewer"

  depends_on = [google_project_service.compute]
}

resource "google_compute_managed_ssl_certificate" "viewer" {
  project = var.project
  name    = "${local.name}-viewer"

  managed {
    domains = [var.host]
  }

  depends_on = [google_project_service.compute]
}

# The viewer's service, as a backend. The load balancer sets no timeout for it: Cloud Run's hour for a stream holds.
resource "google_compute_region_network_endpoint_group" "viewer" {
  project               = var.project
  name                  = "${local.name}-viewer"
  region                = local.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = module.subscope.viewer_service
  }

  depends_on = [google_project_service.compute]
}

resource "google_compute_backend_service" "viewer" {
  project               = var.project
  name                  = "${local.name}-viewer"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"

  backend {
    group = google_compute_region_network_endpoint_group.viewer.id
  }
}

resource "google_compute_url_map" "viewer" {
  project         = var.project
  name            = "${local.name}-viewer"
  default_service = google_compute_backend_service.viewer.id
}

resource "google_compute_ssl_policy" "viewer" {
  project         = var.project
  name            = "${local.name}-viewer"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.compute]
}

resource "google_compute_target_https_proxy" "viewer" {
  project          = var.project
  name             = "${local.name}-viewer"
  url_map          = google_compute_url_map.viewer.id
  ssl_certificates = [google_compute_managed_ssl_certificate.viewer.id]
  ssl_policy       = google_compute_ssl_policy.viewer.id
}

resource "google_compute_global_forwarding_rule" "viewer" {
  project               = var.project
  name                  = "${local.name}-viewer"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.viewer.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.viewer.id
}

output "address" {
  description = "The address for the DNS record of the host name. The certificate is issued once the record is there."
  value       = google_compute_global_address.viewer.address
}

output "viewer_url" {
  description = "The viewer's address."
  value       = module.subscope.viewer_url
}
