resource "google_artifact_registry_repository" "images" {
  project       = var.project
  location      = var.region
  repository_id = var.name
  format        = "DOCKER"
  description   = "Subscope's viewer and receiver"
  labels        = local.labels
  # A function with a key needs a repository with the same key.
  kms_key_name = var.kms_key

  cleanup_policies {
    id     = "keep-the-last-ten-of-the-viewer"
    action = "KEEP"
    most_recent_versions {
      keep_count            = 10
      package_name_prefixes = ["viewer"]
    }
  }
  # The function's image and the cache of its build. Google's build makes both again from the source.
  cleanup_policies {
    id     = "keep-the-last-two-of-all"
    action = "KEEP"
    most_recent_versions {
      keep_count = 2
    }
  }
  cleanup_policies {
    id     = "delete-older-ones"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [
    time_sleep.apis,
    time_sleep.key,
  ]
}

resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:The bucket holds source code that is in the repository; reads need no access log.
  project                     = var.project
  name                        = "${var.project}-${var.name}-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
  labels                      = local.labels

  dynamic "encryption" {
    for_each = var.kms_key != null ? [var.kms_key] : []
    content {
      default_kms_key_name = encryption.value
    }
  }
  versioning {
    enabled = true
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
    }
  }
  # Sources that gcloud staged for a build are not used after it.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 7
      matches_prefix = ["builds/", "plans/"]
    }
  }

  depends_on = [
    time_sleep.apis,
    time_sleep.key,
  ]
}

resource "google_artifact_registry_repository_iam_member" "build_pushes" {
  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
  member     = local.accounts.build.member

  lifecycle {
    replace_triggered_by = [google_artifact_registry_repository.images.id]
  }
}

resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = local.accounts.build.member

  depends_on = [time_sleep.apis]
}

# The function's build reads a copy of the source in buckets that Cloud Functions creates (gcf-v2-…).
resource "google_project_iam_member" "build_reads_source" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = local.accounts.build.member

  condition {
    title       = "Only buckets of source code"
    description = "Of Cloud Functions and of this module"
    expression = join(" || ", [
      "resource.name.startsWith(\"projects/_/buckets/gcf-v2-\")",
      "resource.name.startsWith(\"projects/_/buckets/${var.project}-${var.name}-source\")",
    ])
  }

  depends_on = [time_sleep.apis]
}

locals {
  viewer_sources = sort([
    for file in setunion(
      fileset(local.root, "infra/**"),
      fileset(local.root, "web/**"),
      fileset(local.root, ".dockerignore"),
    ) : file if !startswith(file, "infra/local/") && !can(regex("(^|/)__pycache__/|\\.pyc$", file))
  ])
  viewer_sources_hash = sha256(join("\n", [for file in local.viewer_sources : "${file} ${filesha256("${local.root}/${file}")}"]))
  viewer_tag          = substr(local.viewer_sources_hash, 0, 16)
  repository          = "${var.region}-docker.pkg.dev/${var.project}/${var.name}"
  build_region        = coalesce(var.build.region, try(split("/", var.build.worker_pool)[3], null), var.region)
}

# One apply is enough: it builds the image unless viewer_image is set. The tag is a hash of the image's sources.
resource "terraform_data" "viewer_image" {
  count = var.viewer_image == null ? 1 : 0

  triggers_replace = "${local.repository}/viewer:${local.viewer_tag}"

  provisioner "local-exec" {
    working_dir = local.root
    command     = "sh '${abspath(path.module)}/build_viewer_image.sh'"
    environment = {
      ACCOUNT = local.accounts.build.id
      IMAGE   = "${local.repository}/viewer:${local.viewer_tag}"
      POOL    = var.build.worker_pool == null ? "" : var.build.worker_pool
      PROJECT = var.project
      REGION  = local.build_region
      STAGING = "gs://${google_storage_bucket.source.name}/builds"
      # Not one that the user's shell happens to have.
      SUBSTITUTIONS = ""
    }
  }

  lifecycle {
    # A replaced repository has lost its images.
    replace_triggered_by = [google_artifact_registry_repository.images.id]
  }

  depends_on = [time_sleep.grants]
}

# The digest that the build pushed. A service that names a tag keeps the image that the tag had when it was deployed, and
# an image that is built again for a new base would never run.
data "google_artifact_registry_docker_image" "viewer" {
  count = var.viewer_image == null ? 1 : 0

  project       = var.project
  location      = google_artifact_registry_repository.images.location
  repository_id = google_artifact_registry_repository.images.repository_id
  image_name    = "viewer:${local.viewer_tag}"

  depends_on = [terraform_data.viewer_image]
}

locals {
  viewer_image = var.viewer_image != null ? var.viewer_image : one(data.google_artifact_registry_docker_image.viewer[*].self_link)
}
