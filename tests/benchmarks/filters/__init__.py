"""The cost of filters on one message."""
