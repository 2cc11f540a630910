"""The filter of a request, its links and columns, and saved filters."""
