# Calls count against the project that they are about, with every login: some of Google's APIs refuse the login
# of a person without such a project, and by default a budget call counts against the login's own.
provider "google" {
  project               = var.project
  region                = var.region
  billing_project       = var.project
  user_project_override = true
}

provider "google-beta" {
  project               = var.project
  region                = var.region
  billing_project       = var.project
  user_project_override = true
}
