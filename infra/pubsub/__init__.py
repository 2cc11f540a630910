"""Google Cloud Pub/Sub: clients, publishing, replay, the backlog, and starting and stopping delivery."""
