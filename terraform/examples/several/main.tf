# Several instances in one project: each has its own names, database and subscriptions.

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

variable "teams" {
  description = "The topics of each team. A team is the prefix of the names of its instance, and the id of its database."
  type        = map(set(string))
  default = {
    orders  = ["orders", "returns"]
    billing = ["invoices"]
  }
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
  source   = "../../modules/subscope"
  for_each = var.teams

  providers = {
    google         = google
    google-beta    = google-beta
    google.billing = google
  }

  project       = var.project
  name          = each.key
  labels        = { team = each.key }
  subscriptions = { for topic in each.value : "${topic}-monitor" => { topic = topic } }
}

output "viewer_urls" {
  description = "The viewer's address of each team."
  value       = { for team, one in module.subscope : team => one.viewer_url }
}
