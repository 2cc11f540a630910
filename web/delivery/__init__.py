"""The state of delivery: showing it, starting, stopping, and the backlog."""
