# The two accounts and triggers of cloudbuild.yaml. An owner applies this once; from then on the deployer applies the rest.
# The deployer creates accounts and roles, and a build that runs as it can do the same: such a build starts only after
# an approval. The approval is of the commit; the build makes the plan that it applies afterwards. A pull request brings
# code that has not been reviewed: it runs as the planner (planner.tf), which changes nothing.

locals {
  deploy = var.deploy != null ? { this = var.deploy } : {}

  # The file of a trigger. A build names a pool or none; a name cannot be empty.
  build_file   = try(var.deploy.worker_pool, null) != null ? "cloudbuild.pool.yaml" : "cloudbuild.yaml"
  in_this_pool = try(startswith(var.deploy.worker_pool, "projects/${var.project}/"), false)

  deployer_roles = toset(concat(var.viewer.access == "iap" ? ["roles/iap.admin"] : [], local.in_this_pool ? ["roles/cloudbuild.workerPoolUser"] : [], [
    "roles/artifactregistry.admin",
    "roles/cloudbuild.builds.editor",
    "roles/cloudfunctions.admin",
    "roles/datastore.owner",
    "roles/iam.roleAdmin",
    "roles/iam.serviceAccountAdmin",
    "roles/logging.configWriter",
    "roles/logging.logWriter",
    # For the log of a build that failed.
    "roles/logging.viewer",
    "roles/monitoring.editor",
    "roles/pubsub.admin",
    "roles/run.admin",
    "roles/secretmanager.admin",
    "roles/serviceusage.serviceUsageAdmin",
    "roles/storage.admin",
  ]))

  # The roles that the module grants on the project, except the deployer's.
  project_grants = distinct([
    local.roles.backlog,
    local.roles.planner,
    local.roles.receiver,
    local.roles.viewer,
    "roles/logging.logWriter",
    "roles/storage.objectViewer",
  ])

  # To deploy a service that runs as an account, the deployer must have the right to act as that account. The same is
  # true for a subscription with a push token, and for a trigger.
  acted_as = {
    build    = local.accounts.build.id
    push     = local.accounts.push.id
    receiver = local.accounts.receiver.id
    viewer   = local.accounts.viewer.id
    deployer = local.accounts.deployer.id
    planner  = local.accounts.planner.id
  }
}

resource "google_service_account" "deployer" {
  for_each = { for key, one in local.deploy : key => one if var.service_accounts.deployer == null }

  project      = var.project
  account_id   = "${var.name}-deployer"
  display_name = "Subscope: applies the branch"

  depends_on = [time_sleep.apis]
}

resource "google_project_iam_member" "deployer" {
  #checkov:skip=CKV_GCP_41:It creates the accounts that the services run as; its trigger builds only after an approval.
  #checkov:skip=CKV_GCP_42:It creates the resources that it administers; its trigger builds only after an approval.
  #checkov:skip=CKV_GCP_49:It creates the accounts that the services run as; its trigger builds only after an approval.
  for_each = var.deploy != null ? local.deployer_roles : []

  project = var.project
  role    = each.value
  member  = local.accounts.deployer.member
}

resource "google_project_iam_member" "deployer_grants" {
  #checkov:skip=CKV_GCP_49:The condition lets it grant the roles of this module and no others.
  for_each = local.deploy

  project = var.project
  role    = "roles/resourcemanager.projectIamAdmin"
  member  = local.accounts.deployer.member

  condition {
    title       = "Only what the module grants"
    description = "On the project itself it grants no other role"
    expression  = "api.getAttribute(\"iam.googleapis.com/modifiedGrantsByRole\", []).hasOnly(${jsonencode(local.project_grants)})"
  }
}

resource "google_service_account_iam_member" "deployer_acts_as" {
  for_each = var.deploy != null ? local.acted_as : {}

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = local.accounts.deployer.member
}

resource "google_storage_bucket_iam_member" "deployer_keeps_state" {
  for_each = local.deploy

  bucket = each.value.state_bucket
  role   = "roles/storage.objectUser"
  member = local.accounts.deployer.member
}

resource "google_cloudbuild_trigger" "apply" {
  for_each = { for key, one in local.deploy : key => one if one.repository != null }

  project         = var.project
  location        = var.region
  name            = "${var.name}-apply"
  description     = "Once approved, tests, plans and applies the branch"
  filename        = local.build_file
  service_account = local.accounts.deployer.id

  repository_event_config {
    repository = each.value.repository
    push {
      branch = each.value.branch
    }
  }

  approval_config {
    approval_required = true
  }

  substitutions = merge(local.build_substitutions, { _ACCOUNT = split("@", local.accounts.deployer.email)[0], _ACTION = "apply" })
}

locals {
  build_substitutions = merge(
    {
      _BUILD_ACCOUNT = split("@", local.accounts.build.email)[0]
      _NAME          = var.name
      _REGION        = var.region
      _STATE_BUCKET  = var.deploy != null ? var.deploy.state_bucket : ""
    },
    try(var.deploy.worker_pool, null) != null ? { _POOL = var.deploy.worker_pool } : {},
  )
}
