# A project under an organisation's policies: no public page, an account that is impersonated for the
# apply, and a budget. gcloud builds the viewer's image in the apply, by its own login: export
# CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT with the account's address, so that it acts as the account as well.

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

variable "billing_account" {
  description = "The billing account of the budget, such as 012345-ABCDEF-678901."
  type        = string
}

variable "deployer" {
  description = "The account that Terraform acts as: you need roles/iam.serviceAccountTokenCreator on it, and it needs what an owner has."
  type        = string
}

variable "operators" {
  description = "The members who reach the viewer, through gcloud run services proxy."
  type        = set(string)
  default     = ["group:operators@example.com"]
}

provider "google" {
  project                     = var.project
  billing_project             = var.project
  user_project_override       = true
  impersonate_service_account = var.deployer
  default_labels              = { cost-centre = "monitoring" }
}

provider "google-beta" {
  project                     = var.project
  billing_project             = var.project
  user_project_override       = true
  impersonate_service_account = var.deployer
}

module "subscope" {
  source = "../../modules/subscope"

  providers = {
    google         = google
    google-beta    = google-beta
    google.billing = google
  }

  project           = var.project
  environment_label = "PROD"
  labels            = { team = "platform" }
  subscriptions = {
    orders-monitor = { topic = "projects/${var.project}/topics/orders", retention_days = 31 }
  }
  masked_fields = ["email", "data.card.number"]

  # Only members pass, from any network. Where run.allowedIngress refuses that, add ingress = "internal".
  viewer = { access = "private", members = var.operators }

  alerts = { emails = ["operators@example.com"] }
  # The deployer needs roles/billing.costsManager on the billing account.
  budget = { billing_account = var.billing_account, amount = 200 }
}

output "smoke_test" {
  description = "The commands that send one message all the way."
  value       = module.subscope.smoke_test
}
