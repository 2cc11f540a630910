"""The processes that the local cloud starts: their supervisor, output, ports and end."""
