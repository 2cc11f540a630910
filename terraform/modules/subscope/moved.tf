# Where the indexes and fields of a state that was made before they waited for each other are now.

moved {
  from = google_firestore_index.composite["messages/shard/received_at"]
  to   = google_firestore_index.first
}

moved {
  from = google_firestore_field.override["chunks/data"]
  to   = google_firestore_field.others["chunks/data"]
}

moved {
  from = google_firestore_field.override["chunks/expire_at"]
  to   = google_firestore_field.others["chunks/expire_at"]
}

moved {
  from = google_firestore_field.override["messages/attributes"]
  to   = google_firestore_field.messages["messages/attributes"]
}

moved {
  from = google_firestore_field.override["messages/chunks"]
  to   = google_firestore_field.messages["messages/chunks"]
}

moved {
  from = google_firestore_field.override["messages/data"]
  to   = google_firestore_field.messages["messages/data"]
}

moved {
  from = google_firestore_field.override["messages/expire_at"]
  to   = google_firestore_field.messages["messages/expire_at"]
}

moved {
  from = google_firestore_field.override["messages/last_delivered_at"]
  to   = google_firestore_field.messages["messages/last_delivered_at"]
}

moved {
  from = google_firestore_field.override["messages/message_id"]
  to   = google_firestore_field.messages["messages/message_id"]
}

moved {
  from = google_firestore_field.override["messages/preview"]
  to   = google_firestore_field.messages["messages/preview"]
}

moved {
  from = google_firestore_field.override["messages/publish_time"]
  to   = google_firestore_field.messages["messages/publish_time"]
}

moved {
  from = google_firestore_field.override["messages/received_at"]
  to   = google_firestore_field.messages["messages/received_at"]
}

moved {
  from = google_firestore_field.override["messages/shard"]
  to   = google_firestore_field.messages["messages/shard"]
}

moved {
  from = google_firestore_field.override["messages/subscription"]
  to   = google_firestore_field.messages["messages/subscription"]
}

moved {
  from = google_firestore_field.override["messages/tokens"]
  to   = google_firestore_field.messages["messages/tokens"]
}

moved {
  from = google_firestore_field.override["rejections/expire_at"]
  to   = google_firestore_field.others["rejections/expire_at"]
}

moved {
  from = google_firestore_field.override["sessions/expire_at"]
  to   = google_firestore_field.others["sessions/expire_at"]
}

moved {
  from = google_firestore_field.override["sign_in_attempts/expire_at"]
  to   = google_firestore_field.others["sign_in_attempts/expire_at"]
}

# Accounts and roles of a state from before existing ones could be named.

moved {
  from = google_project_iam_custom_role.backlog
  to   = google_project_iam_custom_role.backlog[0]
}

moved {
  from = google_project_iam_custom_role.delivery
  to   = google_project_iam_custom_role.delivery[0]
}

moved {
  from = google_project_iam_custom_role.receiver_firestore
  to   = google_project_iam_custom_role.receiver_firestore[0]
}

moved {
  from = google_project_iam_custom_role.viewer_firestore
  to   = google_project_iam_custom_role.viewer_firestore[0]
}

moved {
  from = google_service_account.build
  to   = google_service_account.build[0]
}

moved {
  from = google_service_account.push
  to   = google_service_account.push[0]
}

moved {
  from = google_service_account.receiver
  to   = google_service_account.receiver[0]
}

moved {
  from = google_service_account.viewer
  to   = google_service_account.viewer[0]
}
