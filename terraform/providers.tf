provider "google" {
  project = var.project
  region  = var.region
}

# By default the quota project of a budget call is the caller's, which does not necessarily have the API enabled.
provider "google" {
  alias                 = "billing"
  project               = var.project
  region                = var.region
  billing_project       = var.project
  user_project_override = true
}
