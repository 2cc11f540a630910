"""The list of messages, its rows, and the page of one message."""
