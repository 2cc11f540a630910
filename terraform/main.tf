module "subscope" {
  source = "./modules/subscope"

  providers = {
    google         = google
    google-beta    = google-beta
    google.billing = google
  }

  alerts            = var.alerts
  budget            = var.budget
  build             = var.build
  deploy            = var.deploy
  enable_apis       = var.enable_apis
  environment_label = var.environment_label
  firestore         = var.firestore
  keep_request_logs = var.keep_request_logs
  kms_key           = var.kms_key
  kms_key_grants    = var.kms_key_grants
  labels            = var.labels
  links             = var.links
  log_level         = var.log_level
  masked_fields     = var.masked_fields
  message_shards    = var.message_shards
  name              = var.name
  project           = var.project
  publish_topics    = var.publish_topics
  push_audiences    = var.push_audiences
  receiver          = var.receiver
  region            = var.region
  retention_days    = var.retention_days
  roles             = var.roles
  secret_versions   = var.secret_versions
  service_accounts  = var.service_accounts
  subscriptions     = var.subscriptions
  viewer            = var.viewer
  viewer_image      = var.viewer_image
  vpc_access        = var.vpc_access
}
