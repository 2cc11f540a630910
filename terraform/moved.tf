# Where each resource of a state that this directory made before it had a module is now.

moved {
  from = google_artifact_registry_repository.images
  to   = module.subscope.google_artifact_registry_repository.images
}

moved {
  from = google_artifact_registry_repository_iam_member.build_pushes
  to   = module.subscope.google_artifact_registry_repository_iam_member.build_pushes
}

moved {
  from = google_billing_budget.monthly
  to   = module.subscope.google_billing_budget.monthly
}

moved {
  from = google_cloud_run_v2_service.viewer
  to   = module.subscope.google_cloud_run_v2_service.viewer
}

moved {
  from = google_cloud_run_v2_service_iam_member.anybody_inside_calls_receiver
  to   = module.subscope.google_cloud_run_v2_service_iam_member.anybody_inside_calls_receiver
}

moved {
  from = google_cloud_run_v2_service_iam_member.iap_invokes_viewer
  to   = module.subscope.google_cloud_run_v2_service_iam_member.iap_invokes_viewer
}

moved {
  from = google_cloud_run_v2_service_iam_member.members_invoke_viewer
  to   = module.subscope.google_cloud_run_v2_service_iam_member.members_invoke_viewer
}

moved {
  from = google_cloudbuild_trigger.apply
  to   = module.subscope.google_cloudbuild_trigger.apply
}

moved {
  from = google_cloudbuild_trigger.plan
  to   = module.subscope.google_cloudbuild_trigger.plan
}

moved {
  from = google_cloudfunctions2_function.receiver
  to   = module.subscope.google_cloudfunctions2_function.receiver
}

moved {
  from = google_firestore_database.this
  to   = module.subscope.google_firestore_database.this
}

moved {
  from = google_firestore_field.override
  to   = module.subscope.google_firestore_field.override
}

moved {
  from = google_firestore_index.composite
  to   = module.subscope.google_firestore_index.composite
}

moved {
  from = google_iap_web_cloud_run_service_iam_member.members_pass_iap
  to   = module.subscope.google_iap_web_cloud_run_service_iam_member.members_pass_iap
}

moved {
  from = google_logging_metric.refused_pushes
  to   = module.subscope.google_logging_metric.refused_pushes
}

moved {
  from = google_logging_project_exclusion.stored_messages
  to   = module.subscope.google_logging_project_exclusion.stored_messages
}

moved {
  from = google_monitoring_alert_policy.alert
  to   = module.subscope.google_monitoring_alert_policy.alert
}

moved {
  from = google_monitoring_dashboard.overview
  to   = module.subscope.google_monitoring_dashboard.overview
}

moved {
  from = google_monitoring_notification_channel.email
  to   = module.subscope.google_monitoring_notification_channel.email
}

moved {
  from = google_project_iam_custom_role.backlog
  to   = module.subscope.google_project_iam_custom_role.backlog
}

moved {
  from = google_project_iam_custom_role.delivery
  to   = module.subscope.google_project_iam_custom_role.delivery
}

moved {
  from = google_project_iam_custom_role.planner
  to   = module.subscope.google_project_iam_custom_role.planner
}

moved {
  from = google_project_iam_custom_role.receiver_firestore
  to   = module.subscope.google_project_iam_custom_role.receiver_firestore
}

moved {
  from = google_project_iam_custom_role.viewer_firestore
  to   = module.subscope.google_project_iam_custom_role.viewer_firestore
}

moved {
  from = google_project_iam_member.build_logs
  to   = module.subscope.google_project_iam_member.build_logs
}

moved {
  from = google_project_iam_member.build_reads_source
  to   = module.subscope.google_project_iam_member.build_reads_source
}

moved {
  from = google_project_iam_member.deployer
  to   = module.subscope.google_project_iam_member.deployer
}

moved {
  from = google_project_iam_member.deployer_grants
  to   = module.subscope.google_project_iam_member.deployer_grants
}

moved {
  from = google_project_iam_member.planner_logs
  to   = module.subscope.google_project_iam_member.planner_logs
}

moved {
  from = google_project_iam_member.planner_reads
  to   = module.subscope.google_project_iam_member.planner_reads
}

moved {
  from = google_project_iam_member.receiver_stores
  to   = module.subscope.google_project_iam_member.receiver_stores
}

moved {
  from = google_project_iam_member.viewer_reads
  to   = module.subscope.google_project_iam_member.viewer_reads
}

moved {
  from = google_project_iam_member.viewer_sees_backlog
  to   = module.subscope.google_project_iam_member.viewer_sees_backlog
}

moved {
  from = google_project_service.apis
  to   = module.subscope.google_project_service.apis
}

moved {
  from = google_pubsub_subscription.dead_letter
  to   = module.subscope.google_pubsub_subscription.dead_letter
}

moved {
  from = google_pubsub_subscription.monitored
  to   = module.subscope.google_pubsub_subscription.monitored
}

moved {
  from = google_pubsub_subscription_iam_member.pubsub_acknowledges_dead_letters
  to   = module.subscope.google_pubsub_subscription_iam_member.pubsub_acknowledges_dead_letters
}

moved {
  from = google_pubsub_subscription_iam_member.viewer_switches_dead_letters
  to   = module.subscope.google_pubsub_subscription_iam_member.viewer_switches_dead_letters
}

moved {
  from = google_pubsub_subscription_iam_member.viewer_switches_delivery
  to   = module.subscope.google_pubsub_subscription_iam_member.viewer_switches_delivery
}

moved {
  from = google_pubsub_topic.dead_letter
  to   = module.subscope.google_pubsub_topic.dead_letter
}

moved {
  from = google_pubsub_topic.monitored
  to   = module.subscope.google_pubsub_topic.monitored
}

moved {
  from = google_pubsub_topic_iam_member.pubsub_forwards_dead_letters
  to   = module.subscope.google_pubsub_topic_iam_member.pubsub_forwards_dead_letters
}

moved {
  from = google_pubsub_topic_iam_member.viewer_publishes
  to   = module.subscope.google_pubsub_topic_iam_member.viewer_publishes
}

moved {
  from = google_secret_manager_secret.secret
  to   = module.subscope.google_secret_manager_secret.secret
}

moved {
  from = google_secret_manager_secret_iam_member.viewer_reads
  to   = module.subscope.google_secret_manager_secret_iam_member.viewer_reads
}

moved {
  from = google_secret_manager_secret_version.admin_password
  to   = module.subscope.google_secret_manager_secret_version.admin_password
}

moved {
  from = google_secret_manager_secret_version.session_key
  to   = module.subscope.google_secret_manager_secret_version.session_key
}

moved {
  from = google_service_account.build
  to   = module.subscope.google_service_account.build
}

moved {
  from = google_service_account.deployer
  to   = module.subscope.google_service_account.deployer
}

moved {
  from = google_service_account.planner
  to   = module.subscope.google_service_account.planner
}

moved {
  from = google_service_account.push
  to   = module.subscope.google_service_account.push
}

moved {
  from = google_service_account.receiver
  to   = module.subscope.google_service_account.receiver
}

moved {
  from = google_service_account.viewer
  to   = module.subscope.google_service_account.viewer
}

moved {
  from = google_service_account_iam_member.deployer_acts_as
  to   = module.subscope.google_service_account_iam_member.deployer_acts_as
}

moved {
  from = google_service_account_iam_member.pubsub_mints_push_tokens
  to   = module.subscope.google_service_account_iam_member.pubsub_mints_push_tokens
}

moved {
  from = google_service_account_iam_member.viewer_starts_delivery
  to   = module.subscope.google_service_account_iam_member.viewer_starts_delivery
}

moved {
  from = google_storage_bucket.source
  to   = module.subscope.google_storage_bucket.source
}

moved {
  from = google_storage_bucket_iam_member.deployer_keeps_state
  to   = module.subscope.google_storage_bucket_iam_member.deployer_keeps_state
}

moved {
  from = google_storage_bucket_iam_member.planner_locks_state
  to   = module.subscope.google_storage_bucket_iam_member.planner_locks_state
}

moved {
  from = google_storage_bucket_iam_member.planner_reads_source
  to   = module.subscope.google_storage_bucket_iam_member.planner_reads_source
}

moved {
  from = google_storage_bucket_iam_member.planner_reads_state
  to   = module.subscope.google_storage_bucket_iam_member.planner_reads_state
}

moved {
  from = google_storage_bucket_object.receiver
  to   = module.subscope.google_storage_bucket_object.receiver
}

moved {
  from = terraform_data.viewer_image
  to   = module.subscope.terraform_data.viewer_image
}
