# A root of yours with the least that the module needs: one monitored topic, and every default.

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

module "subscope" {
  # From another repository: git::https://HOST/OWNER/subscope.git//terraform/modules/subscope?ref=TAG
  source = "../../modules/subscope"

  # google.billing serves budgets: their calls need a project with the API, which user_project_override gives them.
  providers = {
    google         = google
    google-beta    = google-beta
    google.billing = google
  }

  project = var.project
}

output "first_password" {
  description = "The command that shows the password of the first user, admin."
  value       = module.subscope.first_password
}

output "viewer_url" {
  description = "The viewer's address."
  value       = module.subscope.viewer_url
}
