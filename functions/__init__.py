"""The receiver: verifies a push, stores its message, answers Pub/Sub."""
