"""Stand-ins for what Google puts before the receiver: the token of a push, and Cloud Run's invoker check."""
