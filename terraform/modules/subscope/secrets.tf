# Ephemeral values and write-only arguments: neither the plan nor the state contains a secret.

locals {
  secret_lengths = { admin-password = 24, session-key = 64 }

  settings      = jsonencode(local.changing_settings)
  settings_path = "settings.json"
  settings_in   = "/etc/subscope"
}

ephemeral "random_password" "secret" {
  for_each = local.secret_lengths

  length = each.value
  # Letters and digits only: easy to select with a double click and to pass through a shell.
  special = false
}

resource "google_secret_manager_secret" "secret" {
  for_each = toset(concat(keys(local.secret_lengths), ["receiver-settings"]))

  project   = var.project
  secret_id = "${var.name}-${each.key}"
  labels    = local.labels

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key != null ? [var.kms_key] : []
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [
    time_sleep.apis,
    time_sleep.key,
  ]
}

resource "google_secret_manager_secret_version" "admin_password" {
  secret                 = google_secret_manager_secret.secret["admin-password"].id
  secret_data_wo         = ephemeral.random_password.secret["admin-password"].result
  secret_data_wo_version = tostring(var.secret_versions.admin_password)
  # The running revision needs the old version until the new revision is ready, and so does a revision that you go back
  # to. create_before_destroy would apply to the secret as well, and another region would create it twice.
  deletion_policy = "ABANDON"
}

resource "google_secret_manager_secret_version" "session_key" {
  secret                 = google_secret_manager_secret.secret["session-key"].id
  secret_data_wo         = ephemeral.random_password.secret["session-key"].result
  secret_data_wo_version = tostring(var.secret_versions.session_key)
  deletion_policy        = "ABANDON"
}

# The receiver's settings that change. They are no secret: a mounted secret is a file that Google keeps current, and
# only those who deploy can write it. In the function's environment, each change would build the function again.
resource "google_secret_manager_secret_version" "receiver_settings" {
  secret         = google_secret_manager_secret.secret["receiver-settings"].id
  secret_data_wo = local.settings
  # A number from the content: another content is another version.
  secret_data_wo_version = tostring(parseint(substr(sha256(local.settings), 0, 8), 16))
  deletion_policy        = "ABANDON"
}

resource "google_secret_manager_secret_iam_member" "receiver_reads" {
  project   = var.project
  secret_id = google_secret_manager_secret.secret["receiver-settings"].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.accounts.receiver.member

  lifecycle {
    replace_triggered_by = [google_secret_manager_secret.secret["receiver-settings"].id]
  }
}

resource "google_secret_manager_secret_iam_member" "viewer_reads" {
  for_each = local.secret_lengths

  project   = var.project
  secret_id = google_secret_manager_secret.secret[each.key].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.accounts.viewer.member

  lifecycle {
    replace_triggered_by = [google_secret_manager_secret.secret[each.key].id]
  }
}
