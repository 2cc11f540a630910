locals {
  firestore = jsondecode(file("${path.module}/firestore.indexes.json"))
  # Read from the resource, so that everything below waits for the database.
  database = var.firestore.create ? google_firestore_database.this[0].name : var.firestore.database
  indexes = {
    for index in local.firestore.indexes :
    join("/", concat([index.collectionGroup], index.fields[*].fieldPath)) => index
  }
  first_index = "messages/shard/received_at"
  overrides   = { for one in local.firestore.fieldOverrides : "${one.collectionGroup}/${one.fieldPath}" => one }
}

# Firestore prepares a new database for indexes when it gets the first one, and refuses all other changes of indexes and
# fields at that time (409, "Concurrent access -- try again"), which the provider does not repeat. So one index is alone,
# and the others, the fields of messages and the other fields wait for each other.
resource "google_firestore_index" "first" {
  project     = var.project
  database    = local.database
  collection  = local.indexes[local.first_index].collectionGroup
  query_scope = local.indexes[local.first_index].queryScope

  dynamic "fields" {
    for_each = local.indexes[local.first_index].fields
    content {
      field_path   = fields.value.fieldPath
      order        = try(fields.value.order, null)
      array_config = try(fields.value.arrayConfig, null)
    }
  }

  # On a database with messages, Firestore builds an index for more than the provider's 20 minutes.
  timeouts {
    create = "90m"
    update = "90m"
    delete = "90m"
  }
}

resource "google_firestore_index" "composite" {
  for_each = { for key, index in local.indexes : key => index if key != local.first_index }

  project     = var.project
  database    = local.database
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path   = fields.value.fieldPath
      order        = try(fields.value.order, null)
      array_config = try(fields.value.arrayConfig, null)
    }
  }

  timeouts {
    create = "90m"
    update = "90m"
    delete = "90m"
  }

  depends_on = [google_firestore_index.first]
}

resource "google_firestore_field" "messages" {
  for_each = { for key, one in local.overrides : key => one if one.collectionGroup == "messages" }

  project    = var.project
  database   = local.database
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  # An empty block means no index; without the block the field would have the automatic ones.
  index_config {}

  # On destroy the provider would turn the expiry off and index the whole payloads of the messages that stay.
  deletion_policy = var.firestore.delete_protection ? "ABANDON" : "DELETE"

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [1] : []
    content {}
  }

  timeouts {
    create = "90m"
    update = "90m"
    delete = "90m"
  }

  depends_on = [google_firestore_index.composite]
}

resource "google_firestore_field" "others" {
  for_each = { for key, one in local.overrides : key => one if one.collectionGroup != "messages" }

  project    = var.project
  database   = local.database
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  index_config {}

  deletion_policy = var.firestore.delete_protection ? "ABANDON" : "DELETE"

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [1] : []
    content {}
  }

  timeouts {
    create = "90m"
    update = "90m"
    delete = "90m"
  }

  depends_on = [google_firestore_field.messages]
}

locals {
  firestore_condition = "resource.name == \"projects/${var.project}/databases/${local.database}\""
}

# A write with the precondition that the document does not exist needs only create; redeliveries and chunks need update
# and get.
resource "google_project_iam_custom_role" "receiver_firestore" {
  count = var.roles.receiver == null ? 1 : 0

  project = var.project
  role_id = "${replace(var.name, "-", "_")}_receiver"
  title   = "Subscope: store messages"
  permissions = [
    "datastore.databases.get",
    "datastore.entities.create",
    "datastore.entities.get",
    "datastore.entities.update",
  ]

  depends_on = [time_sleep.apis]
}

resource "google_project_iam_custom_role" "viewer_firestore" {
  count = var.roles.viewer == null ? 1 : 0

  project = var.project
  role_id = "${replace(var.name, "-", "_")}_viewer"
  title   = "Subscope: read messages, keep users, sessions and the audit"
  permissions = [
    "datastore.databases.get",
    "datastore.entities.create",
    "datastore.entities.delete",
    "datastore.entities.get",
    "datastore.entities.list",
    "datastore.entities.update",
  ]

  depends_on = [time_sleep.apis]
}

resource "google_project_iam_member" "receiver_stores" {
  project = var.project
  role    = local.roles.receiver
  member  = local.accounts.receiver.member

  condition {
    title       = "Only Subscope's database"
    description = local.database
    expression  = local.firestore_condition
  }
}

resource "google_project_iam_member" "viewer_reads" {
  project = var.project
  role    = local.roles.viewer
  member  = local.accounts.viewer.member

  condition {
    title       = "Only Subscope's database"
    description = local.database
    expression  = local.firestore_condition
  }
}
