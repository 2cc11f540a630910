# The service accounts, unless existing ones are named. Each grant stands beside the resource that it is for, and is additive: other grants survive.

locals {
  made_accounts = {
    build    = one(google_service_account.build[*].email)
    deployer = one([for account in google_service_account.deployer : account.email])
    planner  = one([for account in google_service_account.planner : account.email])
    push     = one(google_service_account.push[*].email)
    receiver = one(google_service_account.receiver[*].email)
    viewer   = one(google_service_account.viewer[*].email)
  }
  # Without deploy, there is neither deployer nor planner.
  accounts = {
    for part, made in local.made_accounts : part => {
      email  = try(coalesce(var.service_accounts[part], made), null)
      id     = try("projects/${var.project}/serviceAccounts/${coalesce(var.service_accounts[part], made)}", null)
      member = try("serviceAccount:${coalesce(var.service_accounts[part], made)}", null)
    }
  }
}

locals {
  # The custom roles, unless existing ones are named.
  roles = {
    backlog  = var.roles.backlog != null ? var.roles.backlog : google_project_iam_custom_role.backlog[0].name
    delivery = var.roles.delivery != null ? var.roles.delivery : google_project_iam_custom_role.delivery[0].name
    planner  = var.roles.planner != null ? var.roles.planner : one([for role in google_project_iam_custom_role.planner : role.name])
    receiver = var.roles.receiver != null ? var.roles.receiver : google_project_iam_custom_role.receiver_firestore[0].name
    viewer   = var.roles.viewer != null ? var.roles.viewer : google_project_iam_custom_role.viewer_firestore[0].name
  }
}

resource "google_service_account" "push" {
  count = var.service_accounts.push == null ? 1 : 0

  project      = var.project
  account_id   = "${var.name}-push"
  display_name = "Subscope: the account in Pub/Sub's push tokens"

  depends_on = [time_sleep.apis]
}

resource "google_service_account" "receiver" {
  count = var.service_accounts.receiver == null ? 1 : 0

  project      = var.project
  account_id   = "${var.name}-receiver"
  display_name = "Subscope: the receiver"

  depends_on = [time_sleep.apis]
}

resource "google_service_account" "viewer" {
  count = var.service_accounts.viewer == null ? 1 : 0

  project      = var.project
  account_id   = "${var.name}-viewer"
  display_name = "Subscope: the viewer"

  depends_on = [time_sleep.apis]
}

resource "google_service_account" "build" {
  count = var.service_accounts.build == null ? 1 : 0

  project      = var.project
  account_id   = "${var.name}-build"
  display_name = "Subscope: builds the function and the viewer's image"

  depends_on = [time_sleep.apis]
}

# A grant takes effect about a minute after it was written. A build or a revision that starts before fails, and a failed
# function is built from the start in the next apply. This waits when a role or a member changes, and never otherwise.
resource "time_sleep" "grants" {
  create_duration = "60s"
  triggers = {
    build_logs           = "${google_project_iam_member.build_logs.role} ${google_project_iam_member.build_logs.member}"
    build_pushes         = "${google_artifact_registry_repository_iam_member.build_pushes.role} ${google_artifact_registry_repository_iam_member.build_pushes.member}"
    build_reads_source   = "${google_project_iam_member.build_reads_source.role} ${google_project_iam_member.build_reads_source.member}"
    receiver_reads       = "${google_secret_manager_secret_iam_member.receiver_reads.role} ${google_secret_manager_secret_iam_member.receiver_reads.member}"
    receiver_stores      = "${google_project_iam_member.receiver_stores.role} ${google_project_iam_member.receiver_stores.member}"
    viewer_reads         = "${google_project_iam_member.viewer_reads.role} ${google_project_iam_member.viewer_reads.member}"
    viewer_reads_secrets = join(" ", [for one in google_secret_manager_secret_iam_member.viewer_reads : "${one.role} ${one.secret_id} ${one.member}"])
  }
}

# A replaced account has lost its grants, and its address is the same. An existing one is not replaced here.
resource "terraform_data" "push_account" {
  triggers_replace = one(google_service_account.push[*].unique_id)
}

# Projects created before April 2021 need this grant for push tokens. It covers this account only, not the project.
resource "google_service_account_iam_member" "pubsub_mints_push_tokens" {
  service_account_id = local.accounts.push.id
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent

  lifecycle {
    replace_triggered_by = [terraform_data.push_account.id]
  }

  # Google creates the agent when Pub/Sub is first used.
  depends_on = [google_pubsub_topic.dead_letter]
}

# Setting a push endpoint with a token requires the right to act as the token's account; clearing it does not.
resource "google_service_account_iam_member" "viewer_starts_delivery" {
  service_account_id = local.accounts.push.id
  role               = "roles/iam.serviceAccountUser"
  member             = local.accounts.viewer.member

  lifecycle {
    replace_triggered_by = [terraform_data.push_account.id]
  }
}
