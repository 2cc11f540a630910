output "console_environment" {
  description = "The settings that `subscope` needs on your machine: eval \"$(terraform output -raw console_environment)\"."
  value = join("\n", concat(
    [for name in sort(keys(local.common_environment)) : "export ${name}='${local.common_environment[name]}'"],
    ["export PUSH_ENDPOINT='${local.receiver_url}'", ""],
  ))
}

output "dead_letters" {
  description = "Where each subscription's dead letters wait."
  value       = { for id in keys(var.subscriptions) : id => google_pubsub_subscription.dead_letter[id].name }
}

output "deployer" {
  description = "The account that cloudbuild.yaml applies as; null without deploy."
  value       = var.deploy != null ? local.accounts.deployer.email : null
}

output "first_password" {
  description = "The command that shows the password of the first user, admin. It is valid until it is changed."
  value       = "gcloud secrets versions access latest --secret=${google_secret_manager_secret.secret["admin-password"].secret_id} --project=${var.project}"
}

output "planner" {
  description = "The account that cloudbuild.yaml plans as; null without deploy."
  value       = var.deploy != null ? local.accounts.planner.email : null
}

output "receiver_url" {
  description = "The receiver's address, which Start sets."
  value       = local.receiver_url
}

output "service_accounts" {
  description = "The service accounts by the part that runs as them."
  value = {
    build    = local.accounts.build.email
    push     = local.accounts.push.email
    receiver = local.accounts.receiver.email
    viewer   = local.accounts.viewer.email
  }
}

locals {
  # The first subscription without a filter, if there is one.
  smoke_tested = concat(
    sort([for id, one in var.subscriptions : id if one.filter == null]),
    sort(keys(var.subscriptions)),
  )[0]
}

output "smoke_test" {
  description = "Commands that send one message all the way: sh -c \"$(terraform output -raw smoke_test)\"."
  value = templatefile("${path.module}/smoke_test.sh.tftpl", {
    access        = var.viewer.access
    audience      = local.push_audiences[0]
    ingress       = var.viewer.ingress
    filtered      = var.subscriptions[local.smoke_tested].filter != null
    invoker       = var.receiver.invoker
    project       = var.project
    push_account  = local.accounts.push.email
    receiver_name = local.receiver_name
    receiver_url  = local.receiver_url
    region        = var.region
    subscription  = local.smoke_tested
    topic         = local.topics[var.subscriptions[local.smoke_tested].topic]
    viewer_name   = local.viewer_name
    viewer_url    = local.viewer_url
    run_app_url   = "https://${local.viewer_name}-${local.host_suffix}"
  })
}

output "viewer_image" {
  description = "The image that the viewer runs; cloudbuild.yaml plans pull requests with it."
  value       = local.viewer_image
}

output "viewer_service" {
  description = "The name of the viewer's Cloud Run service, for example for the backend of a load balancer."
  value       = google_cloud_run_v2_service.viewer.name
}

output "viewer_url" {
  description = "The viewer's address. It can be opened once its grants exist."
  value       = local.viewer_url
  depends_on = [
    google_cloud_run_v2_service.viewer,
    google_cloud_run_v2_service_iam_member.iap_invokes_viewer,
    google_cloud_run_v2_service_iam_member.members_invoke_viewer,
    google_iap_web_cloud_run_service_iam_member.members_pass_iap,
  ]
}
