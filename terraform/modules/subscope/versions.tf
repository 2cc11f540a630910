terraform {
  # Write-only arguments keep secrets out of the state.
  required_version = ">= 1.11.0"

  required_providers {
    archive = {
      source  = "hashicorp/archive"
      version = ">= 2.4.0, < 3.0.0"
    }
    google = {
      source = "hashicorp/google"
      # 7.33 adds deletion_policy to the fields of Firestore; 9 does not exist yet.
      version = ">= 7.33.0, < 9.0.0"
      # Budgets: a configuration with user_project_override, which bills their calls to the project.
      configuration_aliases = [google.billing]
    }
    google-beta = {
      source = "hashicorp/google-beta"
      # For one resource: the service agent of Identity-Aware Proxy.
      version = ">= 7.33.0, < 9.0.0"
    }
    random = {
      source  = "hashicorp/random"
      version = ">= 3.7.0, < 4.0.0"
    }
    time = {
      source  = "hashicorp/time"
      version = ">= 0.11.0, < 1.0.0"
    }
  }
}
