# The callers of the receiver. With receiver.invoker = "iam", the default, Cloud Run lets the push account in and no other,
# and the receiver trusts that check (docs/decisions/0022). With "public" it lets every caller of this project's network
# in, and the receiver verifies the signatures of tokens itself.

locals {
  # The grant, the audience and the receiver's setting follow from this alone, so that they cannot contradict each other.
  iam_invokes_receiver = var.receiver.invoker == "iam"
  receiver_invoker     = local.iam_invokes_receiver ? local.accounts.push.member : "allUsers"
}

# The whole policy, not one member of it: an invoker that was added elsewhere is a difference in the next plan, and the
# apply removes it. The service has the function's name; the function's own invoker role does not apply to it.
resource "google_cloud_run_v2_service_iam_policy" "receiver" {
  project  = var.project
  location = var.region
  name     = local.receiver_name
  policy_data = jsonencode({
    bindings = [{ members = [local.receiver_invoker], role = "roles/run.invoker" }]
  })

  lifecycle {
    # A replaced function has lost its grants, and so has a replaced account.
    replace_triggered_by = [google_cloudfunctions2_function.receiver.id, terraform_data.push_account.id]
  }

  depends_on = [google_cloudfunctions2_function.receiver]
}

# A grant takes effect about a minute after it was written, and each push that is refused until then counts as a delivery
# attempt. This waits when the caller changes, and never otherwise.
resource "time_sleep" "pushes" {
  create_duration = "60s"
  triggers        = { caller = local.receiver_invoker }

  depends_on = [
    google_cloud_run_v2_service_iam_policy.receiver,
    google_service_account_iam_member.pubsub_mints_push_tokens,
  ]
}

# The API of functions does not show whether the check of their service is off, so the service is asked.
data "google_cloud_run_v2_service" "receiver" {
  count = local.iam_invokes_receiver ? 1 : 0

  project  = var.project
  location = var.region
  name     = local.receiver_name

  lifecycle {
    postcondition {
      condition     = !self.invoker_iam_disabled
      error_message = "Cloud Run's check of the receiver's callers is off, and the receiver relies on it: every caller could forge a token. Run: gcloud run services update ${local.receiver_name} --project=${var.project} --region=${var.region} --invoker-iam-check"
    }
  }

  depends_on = [google_cloudfunctions2_function.receiver]
}

# Cloud Audit Logs always contain these changes (cloud.google.com/run/docs/audit-logging). The names of methods and
# resources differ between version 1 of the API, which gcloud and the console use, and version 2.
resource "google_monitoring_alert_policy" "receiver_opened" {
  count = local.iam_invokes_receiver ? 1 : 0

  project               = var.project
  display_name          = "Subscope (${var.name}): the callers of the receiver were changed"
  combiner              = "OR"
  severity              = "CRITICAL"
  user_labels           = local.labels
  notification_channels = local.recipients

  conditions {
    display_name = "the callers of the receiver were changed"
    condition_matched_log {
      filter = join(" OR ", [
        "(${join(" AND ", [
          "log_id(\"cloudaudit.googleapis.com/activity\")",
          "protoPayload.serviceName=\"run.googleapis.com\"",
          "protoPayload.resourceName=~\"/services/${local.receiver_name}$\"",
          "(${join(" OR ", [
            "protoPayload.methodName=~\"[.]Services[.]SetIamPolicy$\"",
            "protoPayload.request.service.invokerIamDisabled=true",
            "protoPayload.request.service.metadata.annotations.\"run.googleapis.com/invoker-iam-disabled\"=\"true\"",
          ])})",
        ])})",
        "(${join(" AND ", [
          "resource.type=\"cloud_run_revision\"",
          "resource.labels.service_name=\"${local.receiver_name}\"",
          "jsonPayload.reason=\"service_open\"",
        ])})",
      ])
      label_extractors = {
        by     = "EXTRACT(protoPayload.authenticationInfo.principalEmail)"
        method = "EXTRACT(protoPayload.methodName)"
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "300s"
    }
  }

  documentation {
    content   = "The receiver relies on Cloud Run to admit ${local.receiver_invoker} alone. If the service is open to others, they can store forged messages. An apply that made the grant again is harmless; otherwise run `terraform plan`, which shows an invoker that was added and fails if the check is off, and `terraform apply`. docs/operations.md, Close an open receiver, says what to look for afterwards."
    mime_type = "text/markdown"
  }

  # The grant of the first apply is no news.
  depends_on = [google_cloud_run_v2_service_iam_policy.receiver, time_sleep.apis]
}
