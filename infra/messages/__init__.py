"""One message: what Pub/Sub sent and what is stored of it, its JSON, and masking. Pure, no I/O."""
