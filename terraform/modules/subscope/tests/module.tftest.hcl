# Values that the module refuses, and the effect of its variables, with mock providers: no call to Google is made. random
# is the real provider: ephemeral values cannot be mocked, and it needs no network. The tests are beside the module, not
# beside the root: terraform refuses to validate a root with tests that call a module with a provider of its caller.

mock_provider "archive" {}

mock_provider "google-beta" {}

mock_provider "time" {}

mock_provider "google" {
  override_during = plan
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_service_account" {
    defaults = {
      email  = "mock@my-project.iam.gserviceaccount.com"
      id     = "projects/my-project/serviceAccounts/mock@my-project.iam.gserviceaccount.com"
      member = "serviceAccount:mock@my-project.iam.gserviceaccount.com"
      name   = "projects/my-project/serviceAccounts/mock@my-project.iam.gserviceaccount.com"
    }
  }
}

mock_provider "google" {
  alias = "billing"
}

variables {
  alerts  = { emails = ["ops@example.com"] }
  project = "my-project"
}

run "the_project_is_enough" {
  command = plan

  variables {
    alerts = null
  }
  # It warns that the alerts have no recipient.
  expect_failures = [check.alerts_have_a_recipient]

  assert {
    condition     = keys(google_pubsub_subscription.monitored) == ["builds-monitor"]
    error_message = "Without subscriptions, one default subscription is monitored."
  }
  assert {
    condition     = length(google_pubsub_subscription.monitored["builds-monitor"].push_config) == 0
    error_message = "A new subscription waits for Start."
  }
  assert {
    condition     = google_pubsub_subscription.monitored["builds-monitor"].expiration_policy[0].ttl == ""
    error_message = "A stopped subscription must never expire."
  }
  assert {
    condition     = length(google_pubsub_topic_iam_member.viewer_publishes) == 0
    error_message = "The viewer publishes only where a variable grants it."
  }
  assert {
    condition     = google_cloudfunctions2_function.receiver.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "No caller from outside reaches the receiver."
  }
  assert {
    condition     = google_cloudfunctions2_function.receiver.service_config[0].max_instance_request_concurrency > 1
    error_message = "Concurrent messages share their writes."
  }
  assert {
    condition     = google_cloud_run_v2_service.viewer.invoker_iam_disabled && !google_cloud_run_v2_service.viewer.iap_enabled
    error_message = "The sign-in page is public by default."
  }
  assert {
    condition     = length(terraform_data.viewer_image) == 1 && endswith(output.viewer_url, "-123456789012.europe-west1.run.app")
    error_message = "One apply builds the image, and the address is known before the apply."
  }
  assert {
    condition     = length(google_service_account.deployer) == 0 && length(google_billing_budget.monthly) == 0
    error_message = "A deployer and a budget exist only when they are set."
  }
}

run "subscriptions_are_created_as_configured" {
  command = plan
  variables {
    subscriptions = {
      all     = { topic = "orders", start_running = true }
      foreign = { topic = "projects/other/topics/events" }
      urgent  = { topic = "orders", filter = "attributes.urgent = \"yes\"", ordering = true }
    }
    publish_topics = ["orders", "projects/other/topics/events"]
    receiver       = { invoker = "public" }
    push_audiences = ["https://one.example", "https://two.example"]
  }

  assert {
    condition     = google_pubsub_subscription.monitored["all"].push_config[0].push_endpoint == output.receiver_url
    error_message = "A subscription that starts running pushes to the receiver."
  }
  assert {
    condition     = google_pubsub_subscription.monitored["all"].push_config[0].oidc_token[0].audience == "https://one.example"
    error_message = "Start and Terraform use the first audience."
  }
  assert {
    condition     = google_cloudfunctions2_function.receiver.service_config[0].environment_variables["PUSH_AUDIENCE"] == "https://one.example,https://two.example"
    error_message = "The receiver accepts all audiences."
  }
  assert {
    condition     = jsondecode(google_cloud_run_v2_service_iam_policy.receiver.policy_data).bindings == [{ members = ["allUsers"], role = "roles/run.invoker" }]
    error_message = "Where the receiver verifies signatures itself, Cloud Run lets every caller in."
  }
  assert {
    condition     = length(google_monitoring_alert_policy.receiver_opened) == 0 && length(data.google_cloud_run_v2_service.receiver) == 0
    error_message = "Nothing relies on Cloud Run's check of callers."
  }
  assert {
    condition     = keys(google_pubsub_topic.monitored) == ["orders"]
    error_message = "A topic is created once, and never in another project."
  }
  assert {
    condition     = google_pubsub_subscription.monitored["foreign"].topic == "projects/other/topics/events"
    error_message = "A full name is used as it is."
  }
  assert {
    condition     = { for one in google_pubsub_topic_iam_member.viewer_publishes : one.project => one.topic } == { my-project = "orders", other = "events" }
    error_message = "Publishing is granted on the named topics."
  }
}

run "identity_aware_proxy_with_an_existing_database" {
  command = plan
  variables {
    firestore = { create = false, database = "shared-one" }
    viewer    = { access = "iap", members = ["group:ops@example.com"] }
  }

  assert {
    condition     = google_cloud_run_v2_service.viewer.iap_enabled && !google_cloud_run_v2_service.viewer.invoker_iam_disabled
    error_message = "Only Identity-Aware Proxy reaches the service."
  }
  assert {
    condition = { for one in google_cloud_run_v2_service.viewer.template[0].containers[0].env : one.name => one.value if startswith(one.name, "IAP") || one.name == "AUTH_MODE" } == {
      AUTH_MODE    = "iap"
      IAP_AUDIENCE = "/projects/123456789012/locations/europe-west1/services/subscope-viewer"
    }
    error_message = "The application verifies IAP's header for this service."
  }
  assert {
    condition     = keys(google_iap_web_cloud_run_service_iam_member.members_pass_iap) == ["group:ops@example.com"]
    error_message = "Members pass Identity-Aware Proxy."
  }
  assert {
    condition     = length(google_firestore_database.this) == 0 && alltrue([for one in google_firestore_index.composite : one.database == "shared-one"])
    error_message = "Indexes are created in the existing database."
  }
}

run "wrong_values_are_refused" {
  command = plan
  variables {
    alerts         = { retention_share = 1 }
    budget         = { billing_account = "mine", amount = 100 }
    build          = { worker_pool = "mine" }
    deploy         = { state_bucket = "my-state", repository = "github.com/me/it" }
    firestore      = { database = "UPPER" }
    log_level      = "LOUD"
    message_shards = 31
    name           = "a-name-of-21-letters-"
    receiver       = { concurrency = 1 }
    retention_days = 0
    subscriptions  = { orders = { topic = "orders", ack_deadline_seconds = 10 } }
    viewer         = { access = "private" }
    viewer_image   = "viewer:latest"
  }
  expect_failures = [
    var.alerts, var.budget, var.build, var.deploy, var.firestore, var.log_level, var.message_shards, var.name,
    var.receiver, var.retention_days, var.subscriptions, var.viewer, var.viewer_image,
  ]
}

run "an_audience_that_cloud_run_does_not_check_is_refused" {
  command = plan
  variables {
    push_audiences = ["https://one.example"]
  }
  expect_failures = [var.push_audiences]
}
