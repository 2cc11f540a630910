locals {
  # Not (default), which other software in the project may use. An id has at least four characters.
  new_database = coalesce(var.firestore.database, length(var.name) < 4 ? "subscope-${var.name}" : var.name)
}

resource "google_firestore_database" "this" {
  count = var.firestore.create ? 1 : 0

  project                           = var.project
  name                              = local.new_database
  location_id                       = coalesce(var.firestore.location, var.region)
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  delete_protection_state           = var.firestore.delete_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  point_in_time_recovery_enablement = var.firestore.point_in_time_recovery ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  # On destroy, a protected database stays, with all its documents.
  deletion_policy = var.firestore.delete_protection ? "ABANDON" : "DELETE"

  dynamic "cmek_config" {
    for_each = local.firestore_kms_key != null ? [local.firestore_kms_key] : []
    content {
      kms_key_name = cmek_config.value
    }
  }

  lifecycle {
    # Google changes none of these. Another value would replace the database and lose the messages.
    ignore_changes = [cmek_config, location_id, name]

    precondition {
      condition     = var.kms_key == null || var.firestore.kms_key != null || coalesce(var.firestore.location, var.region) == var.region
      error_message = "The database is in another location than kms_key: name a key there in firestore.kms_key (in us for nam5, in europe for eur3)."
    }
  }

  depends_on = [
    time_sleep.apis,
    time_sleep.key,
  ]
}

check "database_keeps_its_name" {
  assert {
    condition     = !var.firestore.create || var.firestore.database == null || local.database == local.new_database
    error_message = "The database ${local.database} stays: a database cannot be renamed. Set firestore.database to it, or see docs/deployment.md, Another database."
  }
}

check "database_keeps_its_key" {
  assert {
    condition     = !var.firestore.create || local.firestore_kms_key == one(flatten(google_firestore_database.this[*].cmek_config[*].kms_key_name))
    error_message = "The database ${local.database} keeps the key of its creation, or Google's: docs/deployment.md, Another database."
  }
}

# At a time that Google chooses. A backup stays until its date, also when the database is deleted.
resource "google_firestore_backup_schedule" "this" {
  for_each = { for every, days in {
    daily  = var.firestore.daily_backup_days
    weekly = var.firestore.weekly_backup_weeks * 7
  } : every => days if days > 0 }

  project   = var.project
  database  = local.database
  retention = "${each.value * 86400}s"

  dynamic "daily_recurrence" {
    for_each = each.key == "daily" ? [1] : []
    content {}
  }

  dynamic "weekly_recurrence" {
    for_each = each.key == "weekly" ? [1] : []
    content {
      day = "SUNDAY"
    }
  }
}
