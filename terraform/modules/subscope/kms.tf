# A customer-managed key is used by Google's service agents, not by the service accounts of accounts.tf.

locals {
  firestore_kms_key = var.firestore.kms_key != null ? var.firestore.kms_key : var.kms_key

  # The key of each agent. A function needs those of Cloud Functions, Cloud Run, Artifact Registry and Cloud Storage
  # (cloud.google.com/functions/docs/securing/cmek).
  kms_agents = { for service, agent in {
    artifactregistry = { key = var.kms_key, domain = "gcp-sa-artifactregistry" }
    cloudfunctions   = { key = var.kms_key, domain = "gcf-admin-robot" }
    firestore        = { key = var.firestore.create ? local.firestore_kms_key : null, domain = "gcp-sa-firestore" }
    pubsub           = { key = var.kms_key, domain = "gcp-sa-pubsub" }
    run              = { key = var.kms_key, domain = "serverless-robot-prod" }
    secretmanager    = { key = var.kms_key, domain = "gcp-sa-secretmanager" }
    storage          = { key = var.kms_key, domain = "gs-project-accounts" }
    } : service => merge(agent, { member = "serviceAccount:service-${local.number}@${agent.domain}.iam.gserviceaccount.com" }) if agent.key != null
  }
}

# Google creates most agents only on request.
resource "google_project_service_identity" "agents" {
  for_each = { for service, agent in local.kms_agents : service => agent if service != "storage" }
  provider = google-beta

  project = var.project
  service = "${each.key}.googleapis.com"

  depends_on = [time_sleep.apis]
}

# Google creates the agent of Cloud Storage when its name is asked for.
data "google_storage_project_service_account" "agent" {
  count = contains(keys(local.kms_agents), "storage") ? 1 : 0

  project = var.project

  depends_on = [time_sleep.apis]
}

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each = var.kms_key_grants ? local.kms_agents : {}

  crypto_key_id = each.value.key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value.member

  depends_on = [
    data.google_storage_project_service_account.agent,
    google_project_service_identity.agents,
  ]
}

# A grant takes effect about a minute after it was written. This waits when a key or an agent changes, and never otherwise.
resource "time_sleep" "key" {
  count = length(google_kms_crypto_key_iam_member.agents) > 0 ? 1 : 0

  create_duration = "60s"
  triggers        = { for service, one in google_kms_crypto_key_iam_member.agents : service => "${one.crypto_key_id} ${one.member}" }
}
